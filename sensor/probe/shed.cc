// What the programs of a hook cost, and how a hook is left off for a while.
#include <algorithm>

#include <bpf/bpf.h>

#include "sensor/probe/probe.h"

namespace kvmsentry {

BpfObject* Probe::HolderOf(absl::string_view object, const std::string& program) {
  for (BpfObject& candidate : objects_) {
    if (candidate.name() == object && candidate.ProgramFd(program) >= 0) return &candidate;
  }
  return nullptr;
}

std::vector<HookRuns> Probe::Runs() const {
  std::vector<HookRuns> all;
  for (const HookCoverage& coverage : coverage_) {
    const std::optional<Variant> variant = VariantOf(coverage);
    if (!variant || coverage.shed) continue;
    HookRuns& runs = all.emplace_back();
    runs.hook = coverage.hook;
    runs.optional = IsOptional(*coverage.hook, *variant);
    for (const std::string& program : ProgramNames(*coverage.hook, *variant)) {
      for (const BpfObject& object : objects_) {
        if (object.name() != coverage.hook->object) continue;
        bpf_prog_info info{};
        uint32_t length = sizeof(info);
        const int fd = object.ProgramFd(program);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) != 0) continue;
        runs.runs += info.run_cnt;
        runs.ns += info.run_time_ns;
      }
    }
  }
  return all;
}

HookCoverage& Probe::CoverageOf(const Hook& hook) {
  return *std::ranges::find(coverage_, &hook, &HookCoverage::hook);
}

void Probe::Shed(const Hook& hook, absl::string_view reason) {
  HookCoverage& coverage = CoverageOf(hook);
  const std::optional<Variant> variant = VariantOf(coverage);
  if (!variant || coverage.shed) return;
  for (const std::string& program : ProgramNames(hook, *variant)) {
    if (BpfObject* object = HolderOf(hook.object, program)) object->Detach(program);
  }
  coverage.coverage = Coverage::kUnobservable;
  coverage.reason = std::string(reason);
  coverage.shed = true;
}

absl::Status Probe::Restore(const Hook& hook) {
  HookCoverage& coverage = CoverageOf(hook);
  const std::optional<Variant> variant = VariantOf(coverage);
  if (!variant || !coverage.shed) return absl::OkStatus();
  for (const std::string& program : ProgramNames(hook, *variant)) {
    BpfObject* object = HolderOf(hook.object, program);
    const absl::Status attached =
        object == nullptr ? absl::NotFoundError(program) : object->Attach(program);
    if (attached.ok()) continue;
    for (const std::string& done : ProgramNames(hook, *variant)) {
      if (BpfObject* holder = HolderOf(hook.object, done)) holder->Detach(done);
    }
    return attached;
  }
  coverage = Attached(hook, *variant);
  return absl::OkStatus();
}

}  // namespace kvmsentry
