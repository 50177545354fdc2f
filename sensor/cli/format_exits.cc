#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

std::string FormatReasons(const std::vector<v1::VmStatus>& vms, const Style& style) {
  Table table({{"VM"}, {"EXIT"}, {"COUNT", true}});
  for (const v1::VmStatus& vm : vms) {
    const auto& reasons = vm.exits().by_reason();
    std::vector<std::pair<std::string, uint64_t>> ordered(reasons.begin(), reasons.end());
    std::ranges::sort(ordered, [](const auto& a, const auto& b) {
      return std::tie(b.second, a.first) < std::tie(a.second, b.first);
    });
    for (const auto& [reason, count] : ordered) {
      table.Add({{vm.vm().name()}, {reason}, {WithThousands(count)}});
    }
  }
  return table.Render(style);
}

std::string FormatTimes(const std::vector<v1::VmStatus>& vms, const Style& style) {
  Table table({{"VM"}, {"EXIT TO ENTRY"}, {"SAMPLES", true}});
  for (const v1::VmStatus& vm : vms) {
    for (int i = 0; i < std::min(vm.exits().log2_ns_size(), 62); ++i) {
      if (vm.exits().log2_ns(i) == 0) continue;
      table.Add({{vm.vm().name()},
                 {absl::StrCat("from ", absl::FormatDuration(absl::Nanoseconds(int64_t{1} << i)))},
                 {WithThousands(vm.exits().log2_ns(i))}});
    }
  }
  return table.Render(style);
}

}  // namespace

std::string FormatExits(const std::vector<v1::VmStatus>& vms, const Style& style) {
  const bool any = std::ranges::any_of(
      vms, [](const v1::VmStatus& vm) { return vm.exits().by_reason_size() != 0; });
  if (!any) return "\nno exits: this kernel reports none, see kvmsentry status\n";
  return absl::StrCat("\n", FormatReasons(vms, style), "\n", FormatTimes(vms, style));
}

}  // namespace kvmsentry
