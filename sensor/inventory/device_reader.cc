#include "sensor/inventory/device_reader.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/base/escape.h"
#include "sensor/base/fd.h"
#include "sensor/inventory/files.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxMisc = 64 << 10;
constexpr size_t kMaxFdInfo = 4096;

struct Found {
  ks_open_device file{};  // of the lowest descriptor
  DeviceKind kind = DeviceKind::kDisk;
  uint32_t files = 0;
  bool writable = false;
};

// The devices among the files that a walk shows, each once.
class Collector {
 public:
  explicit Collector(const MiscDevices& misc) : misc_(misc) {}

  void Add(const ks_open_device& file) {
    if (file.kind == KS_DEVICE_VM) {
      is_vmm_ = true;
      cgroup_ = file.object;
      return;
    }
    if (file.kind == KS_DEVICE_IOEVENTFD) {
      AddWindow(file);
      return;
    }
    const std::optional<DeviceKind> kind = DeviceKindOf(file, misc_);
    if (!kind) return;
    const bool image = file.kind == KS_DEVICE_FILE;
    const uint64_t identity = image ? file.inode : MiscIdentity(file);
    const Key key{file.kind, image ? file.fs_device : file.device, identity};
    auto found = found_.find(key);
    if (found == found_.end()) {
      if (found_.size() == kMaxDevices) {
        ++left_out_;
        return;
      }
      found = found_.emplace(key, Found{.file = file, .kind = *kind}).first;
    }
    Found& device = found->second;
    if (file.fd < device.file.fd) device.file = file;
    ++device.files;
    device.writable |= (file.flags & KS_DEVICE_WRITE) != 0;
  }

  // By kind and descriptor; none if the process is no VMM.
  std::vector<Found> Take() const {
    std::vector<Found> all;
    if (!is_vmm_) return all;
    for (const auto& [key, found] : found_) all.push_back(found);
    std::ranges::sort(all, {}, [](const Found& f) { return std::tuple(f.kind, f.file.fd); });
    return all;
  }
  std::vector<WriteWindow> Windows() const {
    std::vector<WriteWindow> all;
    for (const auto& [place, window] : windows_) all.push_back(window);
    return all;
  }
  uint64_t left_out() const { return is_vmm_ ? left_out_ : 0; }
  uint64_t cgroup() const { return cgroup_; }

 private:
  using Key = std::tuple<uint32_t, uint32_t, uint64_t>;  // kind of file, device, identity

  // The queues of a device have their places side by side.
  void AddWindow(const ks_open_device& file) {
    if (file.flags > KS_BUS_PORTS) return;
    const bool port = file.flags == KS_BUS_PORTS;
    const uint64_t first = file.object;
    const uint64_t last = first + std::max<uint64_t>(file.size, 1) - 1;
    const std::pair place(port, port ? first : first >> KS_PAGE_SHIFT);
    if (last < first || (windows_.size() == kMaxDevices && !windows_.contains(place))) return;
    const auto known = windows_.try_emplace(place, WriteWindow{port, first, last}).first;
    known->second.first = std::min(known->second.first, first);
    known->second.last = std::max(known->second.last, last);
  }

  // The queues of a tap are one device.
  static uint64_t MiscIdentity(const ks_open_device& file) {
    if (file.kind != KS_DEVICE_MISC) return 0;
    return file.interface != 0 ? file.interface : file.object;
  }

  const MiscDevices& misc_;
  std::map<Key, Found> found_;
  std::map<std::pair<bool, uint64_t>, WriteWindow> windows_;  // by port, or guest page
  uint64_t left_out_ = 0;
  uint64_t cgroup_ = 0;
  bool is_vmm_ = false;
};

// Whether STAT is of the file that the walk met.
bool IsSame(const struct stat& stat, const ks_open_device& file) {
  if (file.kind == KS_DEVICE_BLOCK) {
    return S_ISBLK(stat.st_mode) &&
           stat.st_rdev == makedev(MajorOf(file.device), MinorOf(file.device));
  }
  return IsFile(stat, file.fs_magic, makedev(MajorOf(file.fs_device), MinorOf(file.fs_device)),
                file.inode);
}

// The path of a disk, or of memory. The kernel walk reads it, of that very file; one that is too
// long for it is read here, if this user may. What is asked then is one descriptor of our own, so
// path and identity are of one file, whatever the process does meanwhile.
std::string PathOf(int process, const ks_open_device& file) {
  const absl::string_view walked(file.path, strnlen(file.path, sizeof(file.path)));
  if (!walked.empty()) return Escape(walked, PATH_MAX);
  const Fd same(openat(process, absl::StrCat("fd/", file.fd).c_str(), O_PATH | O_CLOEXEC));
  struct stat stat {};
  if (!same || fstat(same.get(), &stat) != 0 || !IsSame(stat, file)) return "";
  std::array<char, PATH_MAX> path;
  const std::string link = absl::StrCat("/proc/self/fd/", same.get());
  const ssize_t length = readlink(link.c_str(), path.data(), path.size());
  if (length <= 0 || static_cast<size_t>(length) == path.size()) return "";
  return Escape({path.data(), static_cast<size_t>(length)}, PATH_MAX);
}

// The kernel walk reads the name; where it does not know the types of the module, the driver says
// it (drivers/net/tun.c, tun_chr_show_fdinfo), under a lock that others may hold for long.
std::string InterfaceOf(int process, const ks_open_device& file) {
  const absl::string_view name(file.tap, strnlen(file.tap, sizeof(file.tap)));
  if (!name.empty()) return Escape(name);
  const auto info = ReadFileAt(process, absl::StrCat("fdinfo/", file.fd), kMaxFdInfo);
  if (!info.ok()) return "";
  for (absl::string_view line : absl::StrSplit(*info, '\n')) {
    if (absl::ConsumePrefix(&line, "iff:\t")) return Escape(line);
  }
  return "";
}

Device Describe(const Found& found, int process, const MiscDevices& misc) {
  const ks_open_device& file = found.file;
  const uint32_t number = file.kind == KS_DEVICE_FILE ? file.fs_device : file.device;
  Device device{.kind = found.kind,
                .name = {},
                .pid = static_cast<int32_t>(file.tgid),
                .fd = file.fd,
                .files = found.files,
                .major = MajorOf(number),
                .minor = MinorOf(number),
                .inode = file.kind == KS_DEVICE_FILE ? file.inode : 0,
                .generation = file.generation,
                .object = file.kind == KS_DEVICE_MISC ? file.object : 0,
                .ifindex = file.ifindex,
                .net_ns = file.net_ns,
                .size = {file.size},
                .block = file.kind == KS_DEVICE_BLOCK,
                .writable = found.writable};
  if (found.kind == DeviceKind::kDisk || found.kind == DeviceKind::kMemory) {
    device.name = PathOf(process, file);
  } else if (found.kind == DeviceKind::kTap) {
    device.name = InterfaceOf(process, file);
  } else {
    device.name = Escape(misc.at(device.minor));
  }
  return device;
}

}  // namespace

absl::Status DeviceReader::ReadMiscDevices() {
  misc_.clear();
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string misc,
                             ReadFileAt(AT_FDCWD, absl::StrCat(root_, "/misc"), kMaxMisc));
  misc_ = ParseMiscDevices(misc);
  return absl::OkStatus();
}

absl::StatusOr<DeviceList> DeviceReader::Read(int32_t pid, const DeviceWalk& walk) const {
  // Opened before the walk: where the pid is reused later, it names nobody any more.
  const absl::StatusOr<Fd> process = OpenLiving(root_, pid);
  DeviceList list;
  if (absl::IsNotFound(process.status())) return list;
  if (!process.ok()) return process.status();
  Collector collector(misc_);
  KVMSENTRY_RETURN_IF_ERROR(walk(pid, [&](const ks_open_device& file) { collector.Add(file); }));
  list.left_out = collector.left_out();
  list.cgroup = collector.cgroup();
  list.windows = collector.Windows();
  for (const Found& found : collector.Take()) {
    Device device = Describe(found, process->get(), misc_);
    // A file of /dev/net/tun that is attached to no interface yet.
    if (device.kind == DeviceKind::kTap && device.name.empty()) continue;
    list.devices.push_back(std::move(device));
  }
  return list;
}

}  // namespace kvmsentry
