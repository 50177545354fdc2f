#include "sensor/probe/pins.h"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

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

// Empty if the pins of ROWS can be used again, else why not. They are given by PATH_OF.
template <typename PathOf>
std::string ProblemWith(std::span<const MapRow> rows, const MapSizes& sizes, PathOf path_of) {
  for (const MapRow& row : rows) {
    if (!row.pinned) continue;
    const auto info = InfoOfPin(path_of(row.name));
    if (!info) return absl::StrCat("the pin ", row.name, " is missing");
    const uint32_t entries = EntriesOf(row.size, sizes);
    if (row.value_size != 0 && info->value_size != row.value_size) {
      return absl::StrCat("the map ", row.name, " has another layout");
    }
    if (entries != 0 && info->max_entries != entries) {
      return absl::StrCat("the map ", row.name, " has another size: ", info->max_entries, ", not ",
                          entries);
    }
  }
  return {};
}

std::optional<ks_state> ReadState(const std::string& pin_root) {
  const Fd state(bpf_obj_get(absl::StrCat(pin_root, "/state").c_str()));
  const auto info = InfoOfPin(absl::StrCat(pin_root, "/state"));
  if (!state || !info || info->value_size != sizeof(ks_state)) return std::nullopt;
  ks_state shared{};
  const uint32_t key = 0;
  if (bpf_map_lookup_elem(state.get(), &key, &shared) != 0) return std::nullopt;
  return shared;
}

// So that the maps of a source that are being made are not taken for whole ones.
absl::Status ForgetVersion(const std::string& pin_root, uint32_t source) {
  const Fd state(bpf_obj_get(absl::StrCat(pin_root, "/state").c_str()));
  std::optional<ks_state> shared = ReadState(pin_root);
  const uint32_t key = 0;
  if (shared) shared->source_versions[source] = 0;
  if (!shared || bpf_map_update_elem(state.get(), &key, &*shared, BPF_ANY) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(pin_root, "/state: writing"));
  }
  return absl::OkStatus();
}

// A daemon that was killed has a loader, which ends after it: once all its programs are detached,
// and for many of them the kernel waits until no task runs one any more.
constexpr absl::Duration kWaitForLock = absl::Seconds(15);
constexpr absl::Duration kBetweenTries = absl::Milliseconds(10);

// The lock is the kernel's: it ends with the processes that have it, however they end.
absl::StatusOr<Fd> Lock(const std::string& pin_root, absl::Duration wait) {
  Fd folder(open(pin_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return absl::ErrnoToStatus(errno, absl::StrCat("open ", pin_root));
  for (int64_t tries = wait / kBetweenTries;; --tries) {
    if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return folder;
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return absl::ErrnoToStatus(errno, absl::StrCat("flock ", pin_root));
    }
    if (tries <= 0) break;
    absl::SleepFor(kBetweenTries);
  }
  return absl::FailedPreconditionError(
      absl::StrCat(pin_root, ": another kvmsentryd holds these maps; stop it first"));
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

absl::Status RemovePins(const std::string& folder) {
  std::error_code error;
  for (const fs::directory_entry& pin : fs::directory_iterator(folder, error)) {
    fs::remove_all(pin.path(), error);  // a source's folder, too
    if (error) break;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("removing pins of ", folder));
  }
  return absl::OkStatus();
}

// Removes what cannot be used again, and says so in FOLDER.
absl::Status RemoveStale(const MapPlan& plan, PinFolder* folder) {
  const std::string& root = plan.pin_root();
  const std::optional<ks_state> state = ReadState(root);
  // The version is written last when maps are made, so that half-made ones are not taken.
  if (!state || state->layout_version != KS_LAYOUT_VERSION) {
    folder->recreated.push_back(absl::StrCat(
        "all maps: ",
        state ? absl::StrCat("layout ", state->layout_version, ", not ", KS_LAYOUT_VERSION)
              : "the map state has another layout"));
    return RemovePins(root);
  }
  for (const BpfSource* source : plan.sources()) {
    std::string problem;
    const uint32_t version = state->source_versions[source->number];
    if (version == 0) {
      if (!fs::exists(plan.FolderOf(*source))) continue;  // this source is new here
      problem = "its maps were not finished";
    } else if (version != source->layout_version) {
      problem = absl::StrCat("layout ", version, ", not ", source->layout_version);
    } else {
      problem = ProblemWith(source->maps, plan.sizes(),
                            [&](absl::string_view map) { return plan.PathOf(map); });
    }
    if (problem.empty()) {
      folder->kept = true;
      continue;
    }
    folder->recreated.push_back(absl::StrCat(source->name, ": ", problem));
    KVMSENTRY_RETURN_IF_ERROR(ForgetVersion(root, source->number));
    KVMSENTRY_RETURN_IF_ERROR(RemovePins(plan.FolderOf(*source)));
  }
  // The ring holds nothing that is worth keeping.
  const auto ring = InfoOfPin(plan.PathOf("ring"));
  if (ring && ring->max_entries == plan.sizes().ring_bytes) return absl::OkStatus();
  std::error_code ignored;
  fs::remove(plan.PathOf("ring"), ignored);
  return absl::OkStatus();
}

absl::Status MakeFolders(const MapPlan& plan) {
  for (const BpfSource* source : plan.sources()) {
    const std::string folder = plan.FolderOf(*source);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", folder));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PinFolder> PreparePins(const MapPlan& plan) {
  const std::string& pin_root = plan.pin_root();
  KVMSENTRY_RETURN_IF_ERROR(RequireBpffs(pin_root));
  const bool made = mkdir(pin_root.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", pin_root));
  PinFolder folder;
  folder.made = made;
  KVMSENTRY_ASSIGN_OR_RETURN(folder.lock, Lock(pin_root, kWaitForLock));
  std::error_code error;
  if (!made && !fs::is_empty(pin_root, error)) {
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("read ", pin_root));
    KVMSENTRY_RETURN_IF_ERROR(RequireOurs(pin_root));
    KVMSENTRY_RETURN_IF_ERROR(RemoveStale(plan, &folder));
    folder.pins = folder.recreated.empty() ? Pins::kKept : Pins::kRecreated;
  }
  KVMSENTRY_RETURN_IF_ERROR(MakeFolders(plan));
  return folder;
}

void DiscardNewPins(const PinFolder& folder, const std::string& pin_root) {
  if (!folder.lock || folder.kept) return;
  if (RemovePins(pin_root).ok() && folder.made) rmdir(pin_root.c_str());
}

absl::Status Unpin(const std::string& pin_root) {
  // Whatever else the folder is, it must not be emptied.
  KVMSENTRY_RETURN_IF_ERROR(RequireBpffs(pin_root));
  if (access(pin_root.c_str(), F_OK) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, absl::StrCat("access ", pin_root));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd lock, Lock(pin_root, absl::ZeroDuration()));
  KVMSENTRY_RETURN_IF_ERROR(RequireOurs(pin_root));
  KVMSENTRY_RETURN_IF_ERROR(RemovePins(pin_root));
  if (rmdir(pin_root.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("rmdir ", pin_root));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
