// Whether what was set up still stands.
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "sensor/probe/probe.h"

namespace kvmsentry {
namespace {

// 0 where it cannot be told.
uint32_t MapId(int fd) {
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

// One switch for all kprobes (Documentation/trace/kprobes.rst). Without debugfs it cannot be read,
// and not be turned either.
bool KprobesAreOff() {
  std::ifstream file("/sys/kernel/debug/kprobes/enabled");
  return file.get() == '0';
}

}  // namespace

uint32_t BpfObject::ProgramIdOf(const bpf_link* link) {
  bpf_link_info info{};
  uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &length) == 0 ? info.prog_id : 0;
}

// struct bpf_link_info of Linux 6.7, include/uapi/linux/bpf.h: older headers lack the last fields.
uint64_t BpfObject::MissedProbes() const {
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
  for (const Attached& attached : links_) {
    ProbeInfo info{};
    bpf_attr request{};
    request.info.bpf_fd = static_cast<uint32_t>(bpf_link__fd(attached.link.get()));
    request.info.info_len = sizeof(info);
    request.info.info = reinterpret_cast<uint64_t>(&info);
    if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &request, sizeof(request)) != 0) continue;
    if (info.type != kPerfEvent || request.info.info_len < sizeof(info)) continue;
    if (std::ranges::find(kProbes, info.perf_type) != std::end(kProbes)) missed += info.missed;
  }
  return missed;
}

absl::Status BpfObject::AuditLinks() const {
  for (const Attached& attached : links_) {
    if (ProgramIdOf(attached.link.get()) == attached.program_id) continue;
    return absl::NotFoundError(absl::StrCat("program ", attached.program, " is detached"));
  }
  return absl::OkStatus();
}

absl::Status BpfObject::AuditPins() const {
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    const char* path = bpf_map__pin_path(map);
    if (path == nullptr) continue;
    const Fd pinned(bpf_obj_get(path));
    if (!pinned) return absl::NotFoundError(absl::StrCat("pin ", path, " was removed"));
    if (MapId(pinned.get()) != MapId(bpf_map__fd(map))) {
      return absl::NotFoundError(absl::StrCat("the pin ", path, " is of another map"));
    }
  }
  return absl::OkStatus();
}

absl::Status Probe::AuditLinks() const {
  for (const BpfObject& object : objects_) KVMSENTRY_RETURN_IF_ERROR(object.AuditLinks());
  if (!KprobesAreOff()) return absl::OkStatus();
  for (const HookCoverage& hook : coverage_) {
    if (hook.variant != VariantName(Variant::kKprobe) &&
        hook.variant != VariantName(Variant::kKretprobe)) {
      continue;
    }
    return absl::UnavailableError(
        absl::StrCat("kprobes are switched off, and ", hook.hook->name,
                     " with them: echo 1 > /sys/kernel/debug/kprobes/enabled"));
  }
  return absl::OkStatus();
}

// Each map is of one of these, whose objects that hold programs share it.
absl::Status Probe::AuditPins() const {
  for (const BpfObject& object : maps_) KVMSENTRY_RETURN_IF_ERROR(object.AuditPins());
  return absl::OkStatus();
}

absl::Status Probe::SendCanary(uint64_t number) const {
  uint64_t arguments[] = {number};
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  run.ctx_in = arguments;
  run.ctx_size_in = sizeof(arguments);
  if (bpf_prog_test_run_opts(self_.ProgramFd("canary"), &run) != 0) {
    return absl::ErrnoToStatus(errno, "running the canary");
  }
  if (run.retval != 0) return absl::ResourceExhaustedError("the ring is full");
  return absl::OkStatus();
}

}  // namespace kvmsentry
