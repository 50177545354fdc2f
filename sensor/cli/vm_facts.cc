#include "sensor/cli/vm_facts.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace kvmsentry {

std::optional<double> LevelOf(const v1::VmStatus& vm, std::initializer_list<const char*> features) {
  std::optional<double> sum;
  for (const char* feature : features) {
    const auto level = vm.levels().find(feature);
    if (level != vm.levels().end()) sum = sum.value_or(0) + level->second;
  }
  return sum;
}

std::optional<double> CpusOf(const v1::VmStatus& vm) { return LevelOf(vm, {"cpu.used"}); }

std::optional<double> MemoryOf(const v1::VmStatus& vm) {
  return LevelOf(vm, {"memory.resident", "memory.huge"});
}

std::optional<double> DiskOf(const v1::VmStatus& vm) {
  return LevelOf(vm, {"disk.read.byte.rate", "disk.write.byte.rate"});
}

std::optional<double> NetOf(const v1::VmStatus& vm) {
  return LevelOf(vm, {"tap.from_guest.byte.rate", "tap.to_guest.byte.rate"});
}

std::vector<std::pair<std::string, double>> LeadingRates(const v1::VmStatus& vm, size_t most) {
  std::vector<std::pair<std::string, double>> rates;
  for (const auto& [feature, rate] : vm.rates()) {
    if (!absl::StrContains(feature, "byte")) rates.emplace_back(feature, rate);
  }
  std::ranges::sort(rates, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  rates.resize(std::min(rates.size(), most));
  return rates;
}

}  // namespace kvmsentry
