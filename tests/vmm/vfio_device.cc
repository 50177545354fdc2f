#include "tests/vmm/vfio_device.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>

namespace kvmsentry {
namespace {

struct Found {
  std::string address;  // on the PCI bus
  std::string group;    // its file
};

absl::StatusOr<Found> FindDevice() {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/bus/pci/drivers/vfio-pci", error)) {
    const auto group = std::filesystem::read_symlink(entry.path() / "iommu_group", error);
    if (error) continue;  // not a device
    return Found{entry.path().filename().string(),
                 absl::StrCat("/dev/vfio/", group.filename().string())};
  }
  return absl::NotFoundError("vfio-pci has no device in an IOMMU group; in the lab it has one");
}

absl::StatusOr<Fd> OpenFile(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  return fd;
}

}  // namespace

absl::StatusOr<VfioDevice> VfioDevice::Open() {
  KVMSENTRY_ASSIGN_OR_RETURN(const Found found, FindDevice());
  KVMSENTRY_ASSIGN_OR_RETURN(Fd container, OpenFile("/dev/vfio/vfio"));
  KVMSENTRY_ASSIGN_OR_RETURN(Fd group, OpenFile(found.group));
  const int file = container.get();
  if (ioctl(group.get(), VFIO_GROUP_SET_CONTAINER, &file) != 0) {
    return absl::ErrnoToStatus(errno, "VFIO_GROUP_SET_CONTAINER");
  }
  if (ioctl(container.get(), VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0) {
    return absl::ErrnoToStatus(errno, "VFIO_SET_IOMMU");
  }
  Fd device(ioctl(group.get(), VFIO_GROUP_GET_DEVICE_FD, found.address.c_str()));
  if (!device) {
    return absl::ErrnoToStatus(errno, absl::StrCat("VFIO_GROUP_GET_DEVICE_FD of ", found.address));
  }
  return VfioDevice(std::move(container), std::move(group), std::move(device));
}

absl::Status VfioDevice::Ask() {
  vfio_device_info info{};
  info.argsz = sizeof(info);
  if (ioctl(device_.get(), VFIO_DEVICE_GET_INFO, &info) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "VFIO_DEVICE_GET_INFO");
}

absl::Status VfioDevice::Reset() {
  if (ioctl(device_.get(), VFIO_DEVICE_RESET) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "VFIO_DEVICE_RESET");
}

}  // namespace kvmsentry
