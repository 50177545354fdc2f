// Whether what was set up still stands.
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <span>

#include <bpf/bpf.h>

#include "sensor/probe/probe.h"

namespace kvmsentry {
namespace {

// The kernel's switches of programs that stay attached meanwhile.
struct Switch {
  const char* file;
  absl::string_view what;
  std::span<const Variant> variants;  // whose programs it stops
  absl::string_view remedy;
};

constexpr Variant kByKprobes[] = {Variant::kKprobe, Variant::kKretprobe};
// Kprobes at the beginning of a function are ftrace's, too.
constexpr Variant kByFtrace[] = {Variant::kFentry, Variant::kFexit, Variant::kKprobe,
                                 Variant::kKretprobe};

constexpr Switch kSwitches[] = {
    // Documentation/trace/kprobes.rst. Without debugfs it cannot be read, and not be turned either.
    {"/sys/kernel/debug/kprobes/enabled", "kprobes are switched off", kByKprobes,
     "echo 1 > /sys/kernel/debug/kprobes/enabled"},
    // Documentation/trace/ftrace.rst
    {"/proc/sys/kernel/ftrace_enabled", "ftrace is switched off", kByFtrace,
     "sysctl kernel.ftrace_enabled=1"},
};

bool IsOff(const Switch& each) {
  std::ifstream file(each.file);
  return file.get() == '0';
}

bool Stops(const Switch& each, const HookCoverage& hook) {
  return std::ranges::any_of(each.variants,
                             [&](Variant variant) { return hook.variant == VariantName(variant); });
}

}  // namespace

absl::Status Probe::AuditLinks() const {
  for (const LoadedObject& object : objects_) KVMSENTRY_RETURN_IF_ERROR(object.AuditLinks());
  for (const Switch& each : kSwitches) {
    const auto stopped = std::ranges::find_if(
        coverage_, [&each](const HookCoverage& hook) { return Stops(each, hook); });
    if (stopped == coverage_.end() || !IsOff(each)) continue;
    return absl::UnavailableError(absl::StrCat(each.what, ", and ", stopped->hook->name,
                                               " is not called any more: ", each.remedy));
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
