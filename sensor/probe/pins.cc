#include "sensor/probe/pins.h"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bpf/records.h"
#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

absl::Status RequireBpffs(const std::string& pin_root) {
  const std::string parent = fs::path(pin_root).parent_path();
  struct statfs info {};
  const bool there = statfs(parent.c_str(), &info) == 0;
  if (!there && errno == ENOENT) {
    return absl::FailedPreconditionError(
        absl::StrCat(parent, ": no such folder; choose a --pin-root right below a bpffs, like ",
                     kDefaultPinRoot));
  }
  if (!there || info.f_type != BPF_FS_MAGIC) {
    return absl::FailedPreconditionError(
        absl::StrCat(parent, ": no bpffs there; mount -t bpf bpf ", parent));
  }
  if ((info.f_flags & ST_RDONLY) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(parent, ": the bpffs is mounted read-only; mount -o remount,rw ", parent));
  }
  return absl::OkStatus();
}

std::optional<bpf_map_info> InfoOfPin(const std::string& path) {
  const Fd map(bpf_obj_get(path.c_str()));
  if (!map) return std::nullopt;
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0) return std::nullopt;
  return info;
}

// Why the map pinned by this name cannot be gone on with; empty: it can.
std::string ProblemOf(const std::string& pin_root, const char* map, uint32_t value_size,
                      uint32_t entries) {
  const auto info = InfoOfPin(absl::StrCat(pin_root, "/", map));
  if (!info) return absl::StrCat("the pin ", map, " is missing");
  if (info->value_size != value_size) return absl::StrCat("the map ", map, " has another layout");
  if (info->max_entries == entries) return "";
  return absl::StrCat("the map ", map, " has another size: ", info->max_entries, ", not ", entries);
}

// Why the maps pinned here cannot be gone on with; empty: they can. The version in `state` is
// written last when maps are made, so that half-made ones are not taken.
std::string ProblemOf(const std::string& pin_root, const MapSizes& sizes) {
  std::string problem = ProblemOf(pin_root, "state", sizeof(ks_state), 1);
  if (!problem.empty()) return problem;
  const Fd state(bpf_obj_get(absl::StrCat(pin_root, "/state").c_str()));
  ks_state shared{};
  const uint32_t key = 0;
  if (!state || bpf_map_lookup_elem(state.get(), &key, &shared) != 0) {
    return "the map state cannot be read";
  }
  if (shared.layout_version != KS_LAYOUT_VERSION) {
    return absl::StrCat("layout ", shared.layout_version, ", not ", KS_LAYOUT_VERSION);
  }
  const struct {
    const char* map;
    size_t value_size;
    uint32_t entries;
  } maps[] = {{"vms", sizeof(ks_vm_row), sizes.max_vms},
              {"vcpus", sizeof(ks_vcpu_row), sizes.max_vcpus},
              {"exits", sizeof(ks_exit_row), sizes.max_vcpus},
              {"queues", sizeof(ks_queue_row), sizes.max_queues},
              {"vm_limits", sizeof(ks_vm_limits), sizes.max_vms},
              {"vm_sets", sizeof(ks_vm_sets), sizes.max_vms},
              {"losses", sizeof(ks_losses), 1},
              {"ring", 0, sizes.ring_bytes}};
  for (const auto& [map, value_size, entries] : maps) {
    problem = ProblemOf(pin_root, map, static_cast<uint32_t>(value_size), entries);
    if (!problem.empty()) return problem;
  }
  return "";
}

// The lock is the kernel's: it ends with the process, however that ends.
absl::StatusOr<Fd> Lock(const std::string& pin_root) {
  Fd folder(open(pin_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return absl::ErrnoToStatus(errno, absl::StrCat("open ", pin_root));
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(pin_root, ": another kvmsentryd holds these maps; stop it first"));
  }
  return folder;
}

// A folder with pins of somebody else's is not to be emptied. `state` is the first map that is
// made.
absl::Status RequireOurs(const std::string& pin_root) {
  std::error_code error;
  if (fs::is_empty(pin_root, error) || error) return absl::OkStatus();
  if (fs::exists(absl::StrCat(pin_root, "/state"))) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(pin_root, ": holds pins that are not kvmsentry's; choose another --pin-root"));
}

absl::Status RemovePins(const std::string& pin_root) {
  std::error_code error;
  for (const fs::directory_entry& pin : fs::directory_iterator(pin_root, error)) {
    fs::remove(pin.path(), error);
    if (error) break;
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("removing pins of ", pin_root));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PinFolder> PreparePins(const std::string& pin_root, const MapSizes& sizes) {
  KVMSENTRY_RETURN_IF_ERROR(RequireBpffs(pin_root));
  const bool made = mkdir(pin_root.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", pin_root));
  PinFolder folder;
  folder.made = made;
  KVMSENTRY_ASSIGN_OR_RETURN(folder.lock, Lock(pin_root));
  std::error_code error;
  if (made || fs::is_empty(pin_root, error)) return folder;
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("read ", pin_root));
  KVMSENTRY_RETURN_IF_ERROR(RequireOurs(pin_root));
  folder.recreated_because = ProblemOf(pin_root, sizes);
  folder.pins = folder.recreated_because.empty() ? Pins::kKept : Pins::kRecreated;
  if (folder.pins == Pins::kRecreated) KVMSENTRY_RETURN_IF_ERROR(RemovePins(pin_root));
  return folder;
}

void DiscardNewPins(const PinFolder& folder, const std::string& pin_root) {
  if (!folder.lock || folder.pins == Pins::kKept) return;
  if (RemovePins(pin_root).ok() && folder.made) rmdir(pin_root.c_str());
}

absl::Status Unpin(const std::string& pin_root) {
  // Whatever else the folder is, it must not be emptied.
  KVMSENTRY_RETURN_IF_ERROR(RequireBpffs(pin_root));
  if (access(pin_root.c_str(), F_OK) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, absl::StrCat("access ", pin_root));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd lock, Lock(pin_root));
  KVMSENTRY_RETURN_IF_ERROR(RequireOurs(pin_root));
  KVMSENTRY_RETURN_IF_ERROR(RemovePins(pin_root));
  if (rmdir(pin_root.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("rmdir ", pin_root));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
