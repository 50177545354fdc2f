// The parts of a VM beyond the maximum that is told apart: their counts are added up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sensor/base/time.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

class OtherParts {
 public:
  // Counts of so many parts and features are remembered, to know how much each grew.
  static constexpr size_t kRemembered = 4096;

  // FEATURE of PART was counted up to COUNT: what all of its kind have grown by since each was
  // first seen. Nullopt where there is no room to remember it: it is not counted.
  std::optional<uint64_t> Add(PartId part, FeatureId feature, uint64_t count) {
    if (counts_.size() == kRemembered && !counts_.contains({part, feature})) return std::nullopt;
    uint64_t& sum = sums_[{part.kind, feature}];
    const auto [before, is_new] = counts_.try_emplace({part, feature}, count);
    if (!is_new && count > before->second) sum += count - before->second;
    before->second = count;
    return sum;
  }

  // There is at least one, since AT.
  void Begin(KernelTime at) {
    if (!since) since = at;
  }

  std::optional<KernelTime> since;
  std::string key;  // of the alert that told of it; empty: none did

 private:
  std::map<std::pair<PartId, FeatureId>, uint64_t> counts_;
  std::map<std::pair<PartKind, FeatureId>, uint64_t> sums_;
};

}  // namespace kvmsentry
