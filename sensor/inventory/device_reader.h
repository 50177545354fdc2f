// Reads which devices a VMM has: the walk over its files in the kernel says what they are and, but
// for long paths, what they are called.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "bpf/kvm/records.h"
#include "sensor/base/status.h"
#include "sensor/inventory/device.h"

namespace kvmsentry {

// Hands the open files of process PID to a visitor: Probe::WalkDevices.
using DeviceWalk =
    std::function<absl::Status(int32_t pid, const std::function<void(const ks_open_device&)>&)>;

// Not thread safe.
class DeviceReader {
 public:
  explicit DeviceReader(std::string proc_root = "/proc") : root_(std::move(proc_root)) {}

  // Before a round of Read: modules come and go. On error no tap and no vhost will be recognised.
  absl::Status ReadMiscDevices();

  // Those of PID, by kind and descriptor; none where WALK shows no file of a VM: then it is no VMM,
  // or not any more. Bounded, whatever the process has open. Errors are those of WALK.
  absl::StatusOr<DeviceList> Read(int32_t pid, const DeviceWalk& walk) const;

 private:
  std::string root_;
  MiscDevices misc_;
};

}  // namespace kvmsentry
