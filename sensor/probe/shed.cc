// What the programs of a hook cost, and how a hook is left off for a while.
#include <algorithm>
#include <utility>

#include <bpf/bpf.h>

#include "sensor/probe/probe.h"

namespace kvmsentry {

// The newest first: an older object may have a program that could not be attached then.
const LoadedObject* Probe::HolderOf(const Hook& hook, absl::string_view program) const {
  const absl::string_view source = plan_.SourceOf(hook).name;
  const auto holder =
      std::find_if(objects_.rbegin(), objects_.rend(), [&](const LoadedObject& object) {
        return object.name() == source && object.ProgramFd(program) >= 0;
      });
  return holder == objects_.rend() ? nullptr : &*holder;
}

LoadedObject* Probe::HolderOf(const Hook& hook, absl::string_view program) {
  return const_cast<LoadedObject*>(std::as_const(*this).HolderOf(hook, program));
}

std::vector<HookRuns> Probe::Runs() const {
  std::vector<HookRuns> all;
  for (const HookCoverage& coverage : coverage_) {
    if (coverage.programs.empty()) continue;
    HookRuns& runs = all.emplace_back();
    runs.hook = coverage.hook;
    runs.optional = coverage.hook->optional;
    for (const std::string& program : coverage.programs) {
      bpf_prog_info info{};
      uint32_t length = sizeof(info);
      const int fd = ProgramFd(*coverage.hook, program);
      if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) != 0) continue;
      runs.runs += info.run_cnt;
      runs.ns += info.run_time_ns;
    }
  }
  return all;
}

HookCoverage& Probe::CoverageOf(const Hook& hook) {
  return *std::ranges::find(coverage_, &hook, &HookCoverage::hook);
}

// A loader that has ended has detached all that this process does not hold.
absl::Status Probe::Detach(const Hook& hook, const std::vector<std::string>& programs) {
  for (const std::string& program : programs) {
    LoadedObject* object = HolderOf(hook, program);
    if (object == nullptr) continue;
    const absl::Status detached = loader_->Detach(object->number(), *object->IndexOf(program));
    if (!detached.ok() && loader_->Audit().ok()) return detached;
    object->DropLink(program);
  }
  return absl::OkStatus();
}

absl::Status Probe::Reattach(const Hook& hook, const std::string& program) {
  LoadedObject* object = HolderOf(hook, program);
  if (object == nullptr) return absl::NotFoundError(program);
  KVMSENTRY_ASSIGN_OR_RETURN(LoadedLink link,
                             loader_->Reattach(object->number(), *object->IndexOf(program)));
  object->AddLink(std::move(link));
  return absl::OkStatus();
}

absl::Status Probe::Shed(const Hook& hook, absl::string_view reason) {
  HookCoverage& coverage = CoverageOf(hook);
  if (coverage.programs.empty()) return absl::OkStatus();
  KVMSENTRY_RETURN_IF_ERROR(Detach(hook, coverage.programs));
  shed_[&hook] = coverage;
  coverage = {.hook = &hook,
              .coverage = Coverage::kUnobservable,
              .variant = "",
              .reason = std::string(reason),
              .lack = Lack::kFailed};
  return absl::OkStatus();
}

absl::Status Probe::Restore(const Hook& hook) {
  const auto before = shed_.find(&hook);
  if (before == shed_.end()) return absl::OkStatus();
  const std::vector<std::string>& programs = before->second.programs;
  for (const std::string& program : programs) {
    const absl::Status attached = Reattach(hook, program);
    if (attached.ok()) continue;
    Detach(hook, programs).IgnoreError();
    return attached;
  }
  CoverageOf(hook) = before->second;
  shed_.erase(before);
  return absl::OkStatus();
}

}  // namespace kvmsentry
