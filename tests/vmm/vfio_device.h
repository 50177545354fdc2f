// A PCI device of the host in the hands of a VMM: the first of those that vfio-pci drives.
#pragma once

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Move-only. Source of what to call in which order: Documentation/driver-api/vfio.rst.
class VfioDevice {
 public:
  static absl::StatusOr<VfioDevice> Open();

  // VFIO_DEVICE_GET_INFO.
  absl::Status Ask();
  absl::Status Reset();

 private:
  VfioDevice(Fd container, Fd group, Fd device)
      : container_(std::move(container)), group_(std::move(group)), device_(std::move(device)) {}

  Fd container_;
  Fd group_;
  Fd device_;
};

}  // namespace kvmsentry
