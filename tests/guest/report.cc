#include "tests/guest/report.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace kvmsentry::guest {
namespace {

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

void AppendVcpu(std::string* out, const VcpuReport& vcpu) {
  absl::StrAppendFormat(out,
                        R"({"vm":%u,"vcpu":%u,"behaviour":"%s","operations":%u,"gp_faults":%u,)"
                        R"("exits":{"IO":%u,"MMIO":%u,"HLT":%u,"INTR":%u,"DIRTY_RING_FULL":%u},)"
                        R"("dirty_pages":%u,"dirty_resets":%u,"seconds":%.9f})",
                        vcpu.vm, vcpu.vcpu, BehaviourName(vcpu.behaviour), vcpu.operations,
                        vcpu.gp_faults, vcpu.exits.io, vcpu.exits.mmio, vcpu.exits.hlt,
                        vcpu.exits.intr, vcpu.exits.ring_full, vcpu.dirty.pages, vcpu.dirty.resets,
                        Seconds(vcpu.end - vcpu.begin));
}

}  // namespace

std::string ReportJson(pid_t pid, Behaviour behaviour, absl::Span<const VcpuReport> vcpus) {
  uint64_t operations = 0;
  std::optional<Clock::time_point> begin;
  Clock::time_point end;
  for (const VcpuReport& vcpu : vcpus) {
    if (vcpu.operations == 0) continue;
    operations += vcpu.operations;
    begin = std::min(begin.value_or(vcpu.begin), vcpu.begin);
    end = std::max(end, vcpu.end);
  }
  const double seconds = begin.has_value() ? Seconds(end - *begin) : 0;
  const std::string each =
      operations == 0 ? "null"
                      : absl::StrFormat("%.1f", seconds * 1e9 / static_cast<double>(operations));
  return absl::StrFormat(
      R"({"pid":%d,"behaviour":"%s","vcpus":[%s],"operations":%u,"seconds":%.9f,)"
      R"("ns_per_operation":%s})",
      pid, BehaviourName(behaviour), absl::StrJoin(vcpus, ",", AppendVcpu), operations, seconds,
      each);
}

}  // namespace kvmsentry::guest
