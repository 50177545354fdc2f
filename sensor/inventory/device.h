// The devices that a VM has on the host: what of its VMM's open files is a device, and which.
//
//   tap     a file of /dev/net/tun that is attached to an interface (of kind tap or tun)
//   vhost   a file of /dev/vhost-net, /dev/vhost-vsock or /dev/vhost-scsi, however it is called
//   where
//           the VMM opened it: its minor number says it, by the kernel's own list, /proc/misc
//   disk    a block device, or a regular file that looks like an image. It looks like one if it
//             - is open for reading, on another descriptor than the standard streams, and not for
//               appending: else it is a log or a trace
//             - has a name: what was deleted is a temporary file, what never had one is memory
//             - holds a sector, 512 bytes, or more: PID and lock files hold less
//             - does not lie on proc, sysfs, a cgroup's file system or hugetlbfs
//             - is not mapped where it lies on tmpfs: there it is the guest's memory
//             - is not mapped where it is open for reading only: there it is code or firmware
//   memory  a file of tmpfs or hugetlbfs, named or not, that is open for writing and mapped, and
//           holds a MiB or more: the guest's memory, as shared with helpers or in huge pages
//
// So a kernel or an initial ramdisk that a VMM keeps open for reading counts as a disk that is
// read only, and an image on tmpfs that some other process maps counts as memory. Not recognised:
// macvtap, VFIO, and what another process does for the VMM (vhost-user, a disk served over a
// socket).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "bpf/kvm/records.h"

namespace kvmsentry {

enum class DeviceKind { kTap = 1, kVhostNet, kVhostVsock, kVhostScsi, kDisk, kMemory };

// How large an image is: no part of which device it is, for it grows.
struct DeviceSize {
  uint64_t bytes = 0;
  friend bool operator==(DeviceSize, DeviceSize) { return true; }
};

struct Device {
  DeviceKind kind = DeviceKind::kDisk;
  // Escaped. Of a tap its interface, of vhost its name in /proc/misc. Of a disk and of memory its
  // path, below this process's root where that leads to it; empty where no path could be verified
  // to be its.
  std::string name;
  int32_t pid = 0;
  uint32_t fd = 0;     // the lowest
  uint32_t files = 1;  // descriptors of that process: a tap with several queues has several
  // Of a block device and of a character device its own, of a file its file system's.
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;       // of an image and of memory; 0 of all others
  uint32_t generation = 0;  // tells its inode from a later one of that number; 0: not known
  // In the kernel: of a tap its struct tun_file, of vhost what its driver keeps, which for net
  // and vsock is also their struct vhost_dev, the first member (drivers/vhost/net.c, vsock.c). 0 of
  // disks.
  uint64_t object = 0;
  // Of a tap, 0 where not known: its number, and that of the network namespace that it is in.
  uint32_t ifindex = 0, net_ns = 0;
  DeviceSize size = {};  // of an image or memory, as of the walk
  bool block = false;
  bool writable = false;
  bool shared_by_process = false;  // the process holds several VMs
  bool another_vms = false;        // so it does, and it counts as an older one's of these
  friend bool operator==(const Device&, const Device&) = default;
};

// Where KVM tells the VMM of the guest's writes by an eventfd: a part of the window of a device.
// Those of one guest page are one, from the first to the last; ports are each their own.
struct WriteWindow {
  bool port = false;
  uint64_t first = 0, last = 0;
  friend auto operator<=>(const WriteWindow&, const WriteWindow&) = default;
};

// At most kMaxDevices are kept, and as many windows.
struct DeviceList {
  std::vector<Device> devices;
  std::vector<WriteWindow> windows = {};  // in order; none where the process holds several VMs
  uint64_t cgroup = 0;                    // id of the VMM's in the unified hierarchy; 0: not known
  uint64_t left_out = 0;                  // devices, or open files of devices, beyond
  friend bool operator==(const DeviceList&, const DeviceList&) = default;
};
inline constexpr size_t kMaxDevices = 64;

// Of the kernel's device numbers.
constexpr uint32_t MajorOf(uint32_t device) { return device >> 20; }
constexpr uint32_t MinorOf(uint32_t device) { return device & 0xfffff; }
constexpr uint32_t DeviceNumber(uint32_t major, uint32_t minor) { return major << 20 | minor; }

// Names of miscellaneous devices by their minor number.
using MiscDevices = std::map<uint32_t, std::string>;

// Pure. Of the content of /proc/misc.
MiscDevices ParseMiscDevices(absl::string_view content);

// Pure: the rule above. nullopt for what is no device.
std::optional<DeviceKind> DeviceKindOf(const ks_open_device& file, const MiscDevices& misc);

}  // namespace kvmsentry
