#include "sensor/cli/vm_order.h"

#include <algorithm>
#include <limits>

#include "sensor/base/natural.h"
#include "sensor/cli/vm_facts.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// What comes first has the highest.
double RankOf(VmKey key, const v1::VmStatus& vm) {
  constexpr double kUnknown = -std::numeric_limits<double>::infinity();
  switch (key) {
    case VmKey::kName:
      return 0;
    case VmKey::kSeverity:
      return vm.watched() ? static_cast<double>(vm.worst_severity()) : kUnknown;
    case VmKey::kScore:
      return vm.watched() ? vm.score() : kUnknown;
    case VmKey::kOpen:
      return vm.watched() ? vm.open_alerts() : kUnknown;
    case VmKey::kAge:
      return vm.watched() ? static_cast<double>(absl::ToUnixSeconds(ToTime(vm.first_seen())))
                          : kUnknown;
    case VmKey::kCpu:
      return CpusOf(vm).value_or(kUnknown);
    case VmKey::kMemory:
      return MemoryOf(vm).value_or(kUnknown);
    case VmKey::kDisk:
      return DiskOf(vm).value_or(kUnknown);
    case VmKey::kNet:
      return NetOf(vm).value_or(kUnknown);
    case VmKey::kRate: {
      const auto leading = LeadingRates(vm, 1);
      return leading.empty() ? kUnknown : leading[0].second;
    }
  }
  return kUnknown;
}

}  // namespace

std::vector<std::string> VmKeyNames() {
  return {"severity", "score", "name", "age", "open", "cpu", "memory", "disk", "net", "rate"};
}

void SortVms(VmKey key, std::vector<v1::VmStatus>& vms) {
  std::ranges::stable_sort(vms, [](const v1::VmStatus& a, const v1::VmStatus& b) {
    return NaturalLess(a.vm().name(), b.vm().name());
  });
  // Among those of one severity, the higher score says which to look at.
  if (key == VmKey::kSeverity) {
    std::ranges::stable_sort(vms, std::greater(),
                             [](const v1::VmStatus& vm) { return RankOf(VmKey::kScore, vm); });
  }
  std::ranges::stable_sort(vms, std::greater(),
                           [key](const v1::VmStatus& vm) { return RankOf(key, vm); });
}

}  // namespace kvmsentry
