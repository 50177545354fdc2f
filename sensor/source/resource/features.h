// What the source resource gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

// The source's numbers of its counters. They are folded in user space: the kernel knows no limits
// on them.
enum ResourceMeter : uint16_t {
  kMemoryHighMeter,
  kMemoryMaxMeter,
  kMemoryOomMeter,
  kMemoryOomKillMeter,
  kMemoryReclaimMeter,
  kMemoryRefaultMeter,
  // Of a disk:
  kDiskReadMeter,
  kDiskWriteMeter,
  kDiskReadBytesMeter,
  kDiskWriteBytesMeter,
  kDiskErrorMeter,
  // Of a tap:
  kTapSentPacketsMeter,
  kTapSentBytesMeter,
  kTapSentDropsMeter,
  kTapSentErrorsMeter,
  kTapReceivedPacketsMeter,
  kTapReceivedBytesMeter,
  kTapReceivedDropsMeter,
  kTapReceivedErrorsMeter,
  kResourceMeters,
};

std::span<const Feature> ResourceFeatures();

}  // namespace kvmsentry
