// Which specs watch a VM or a part of it, by feature. Shared by all that the same specs select.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/engine/watch.h"
#include "sensor/feature/part.h"
#include "sensor/feature/vm.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

class Layout {
 public:
  // The watches of one feature: [first, first + count) of all; of a rate, which of the rates.
  struct Group {
    FeatureId feature = {};
    FeatureKind kind = FeatureKind::kRate;
    uint32_t first = 0;
    uint32_t count = 0;
    bool minimum = false;  // a norm has a minimum: every count matters
  };

  explicit Layout(std::vector<std::shared_ptr<const EngineSpec>> specs);

  const std::vector<std::shared_ptr<const EngineSpec>>& specs() const { return specs_; }
  const std::vector<Group>& rates() const { return rates_; }

  // Nullptr where nothing watches the feature.
  const Group* GroupOf(FeatureId feature) const {
    const auto at = static_cast<size_t>(feature);
    if (at >= groups_.size() || groups_[at].count == 0) return nullptr;
    return &groups_[at];
  }
  uint32_t RateOf(FeatureId feature) const { return rate_of_[static_cast<size_t>(feature)]; }

 private:
  std::vector<std::shared_ptr<const EngineSpec>> specs_;
  std::vector<Group> groups_;  // by feature
  std::vector<Group> rates_;
  std::vector<uint32_t> rate_of_;  // by feature: the index in rates_
};

// Finds out which specs select what, and hands out the layouts. Not thread safe.
class Layouts {
 public:
  explicit Layouts(std::shared_ptr<const SpecLibrary> library) : library_(std::move(library)) {}

  // Of the VM with FACTS; of PART of it, called NAME, where it is not the VM itself.
  std::shared_ptr<const Layout> For(const VmFacts& facts, PartId part, absl::string_view name);

  const SpecLibrary& library() const { return *library_; }

 private:
  std::shared_ptr<const SpecLibrary> library_;
  // By the spec and, where its norm is per vCPU, how many of these.
  std::map<std::pair<const Spec*, uint32_t>, std::shared_ptr<const EngineSpec>> specs_;
  std::map<std::vector<const EngineSpec*>, std::weak_ptr<const Layout>> layouts_;
};

}  // namespace kvmsentry
