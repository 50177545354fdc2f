#include "sensor/probe/loaded_object.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

template <typename Named>
int FdOf(const std::vector<Named>& all, absl::string_view name) {
  const auto found = std::ranges::find(all, name, &Named::name);
  return found == all.end() ? -1 : found->fd.get();
}

// 0 where it cannot be told.
uint32_t MapId(int fd) {
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

}  // namespace

uint32_t ProgramIdOf(int link) {
  bpf_link_info info{};
  uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(link, &info, &length) == 0 ? info.prog_id : 0;
}

absl::StatusOr<LoadedObject> LoadedObject::Make(Parts parts) {
  LoadedObject object;
  object.parts_ = std::move(parts);
  if (object.parts_.fired) {
    KVMSENTRY_ASSIGN_OR_RETURN(
        object.fired_,
        MappedRows<const uint8_t>::Map(object.parts_.fired.get(), object.parts_.fired_bytes,
                                       absl::StrCat(object.parts_.name, ".fired")));
  }
  return object;
}

int LoadedObject::MapFd(absl::string_view map) const { return FdOf(parts_.maps, map); }
int LoadedObject::ProgramFd(absl::string_view program) const {
  return FdOf(parts_.programs, program);
}

int LoadedObject::LinkFd(absl::string_view program) const {
  const auto link = std::ranges::find(parts_.links, program, &LoadedLink::program);
  return link == parts_.links.end() ? -1 : link->fd.get();
}

std::optional<uint32_t> LoadedObject::IndexOf(absl::string_view program) const {
  const auto found = std::ranges::find(parts_.programs, program, &LoadedProgram::name);
  if (found == parts_.programs.end()) return std::nullopt;
  return static_cast<uint32_t>(found - parts_.programs.begin());
}

void LoadedObject::AddLink(LoadedLink link) { parts_.links.push_back(std::move(link)); }

void LoadedObject::DropLink(absl::string_view program) {
  std::erase_if(parts_.links, [&](const LoadedLink& link) { return link.program == program; });
}

bool LoadedObject::HasFired(absl::string_view program) const {
  const auto found = std::ranges::find(parts_.programs, program, &LoadedProgram::name);
  if (found == parts_.programs.end() || !found->fired_at) return false;
  return *found->fired_at < fired_.rows().size() && Load(fired_.rows()[*found->fired_at]) != 0;
}

std::vector<std::pair<absl::string_view, uint64_t>> LoadedObject::SkippedRuns() const {
  std::vector<std::pair<absl::string_view, uint64_t>> skipped;
  for (const LoadedProgram& program : parts_.programs) {
    bpf_prog_info info{};
    uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(program.fd.get(), &info, &length) == 0) {
      skipped.emplace_back(program.name, info.recursion_misses);
    }
  }
  return skipped;
}

// struct bpf_link_info of Linux 6.7, include/uapi/linux/bpf.h: older headers lack the last fields.
uint64_t LoadedObject::MissedProbes() const {
  struct ProbeInfo {
    uint32_t type, id, prog_id, padding;
    uint32_t perf_type, padding2;
    uint64_t name;
    uint32_t name_length, offset;
    uint64_t address, missed;
  };
  constexpr uint32_t kPerfEvent = 7;      // BPF_LINK_TYPE_PERF_EVENT
  constexpr uint32_t kProbes[] = {3, 4};  // BPF_PERF_EVENT_KPROBE, _KRETPROBE
  uint64_t missed = 0;
  for (const LoadedLink& link : parts_.links) {
    ProbeInfo info{};
    bpf_attr request{};
    request.info.bpf_fd = static_cast<uint32_t>(link.fd.get());
    request.info.info_len = sizeof(info);
    request.info.info = reinterpret_cast<uint64_t>(&info);
    if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &request, sizeof(request)) != 0) continue;
    if (info.type != kPerfEvent || request.info.info_len < sizeof(info)) continue;
    if (std::ranges::find(kProbes, info.perf_type) != std::end(kProbes)) missed += info.missed;
  }
  return missed;
}

absl::Status LoadedObject::AuditLinks() const {
  for (const LoadedLink& link : parts_.links) {
    if (ProgramIdOf(link.fd.get()) == link.program_id) continue;
    return absl::NotFoundError(absl::StrCat("program ", link.program, " is detached"));
  }
  return absl::OkStatus();
}

absl::Status LoadedObject::AuditPins() const {
  for (const LoadedMap& map : parts_.maps) {
    if (map.pin.empty()) continue;
    const Fd pinned(bpf_obj_get(map.pin.c_str()));
    if (!pinned) return absl::NotFoundError(absl::StrCat("pin ", map.pin, " was removed"));
    if (MapId(pinned.get()) != MapId(map.fd.get())) {
      return absl::NotFoundError(absl::StrCat("the pin ", map.pin, " is of another map"));
    }
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
