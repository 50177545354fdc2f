// What the files that convert to protos share.
#pragma once

#include "kvmsentry/v1/alert.pb.h"
#include "sensor/inventory/host.h"

namespace kvmsentry {

// The values of our enums are those of the public ones.
template <typename Public, typename Ours>
Public Cast(Ours value) {
  return static_cast<Public>(static_cast<int>(value));
}

v1::Host HostOf(const HostFacts& host);

}  // namespace kvmsentry
