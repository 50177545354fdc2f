// All metrics of the sensor, from what its snapshot shows. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sensor/alert/journal.h"
#include "sensor/alert/silence.h"
#include "sensor/base/pulse.h"
#include "sensor/inventory/host_pressure.h"
#include "sensor/inventory/own_process.h"
#include "sensor/rpc/access/board.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

struct MetricsInput {
  SensorStatus status;
  std::vector<VmView> vms;
  std::vector<SpecView> specs;
  std::vector<AlertPtr> open;
  std::vector<Silence> silences = {};  // that are active
  JournalState journal;
  AccessState access;
  std::vector<HostPressure> pressure = {};
  OwnUsage usage = {};
  std::optional<absl::Time> process_start = {};
  uint64_t alerts = 0;  // by this run
  Pulse::State pulse;
  absl::Time now;
  size_t max_vms = 256;  // of more VMs only the number is shown
};

// What no VM's name can change: each series is there once, and their number is bounded by max_vms.
std::string MetricsPage(const MetricsInput& input);

// The libvirt domain of a VM; empty where it is none of libvirt's.
std::string DomainOf(const VmFacts& vm);

}  // namespace kvmsentry
