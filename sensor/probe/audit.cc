// Whether what was set up still stands.
#include <cerrno>
#include <fstream>

#include <bpf/bpf.h>

#include "sensor/probe/probe.h"

namespace kvmsentry {
namespace {

// One switch for all kprobes (Documentation/trace/kprobes.rst). Without debugfs it cannot be read,
// and not be turned either.
bool KprobesAreOff() {
  std::ifstream file("/sys/kernel/debug/kprobes/enabled");
  return file.get() == '0';
}

}  // namespace

absl::Status Probe::AuditLinks() const {
  for (const LoadedObject& object : objects_) KVMSENTRY_RETURN_IF_ERROR(object.AuditLinks());
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
  for (const LoadedObject& object : maps_) KVMSENTRY_RETURN_IF_ERROR(object.AuditPins());
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
