// Appends observations of those features that are wanted.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sensor/source/catalogue.h"
#include "sensor/source/observe.h"
#include "sensor/source/resource/features.h"
#include "sensor/source/resource/levels.h"
#include "sensor/source/source.h"

namespace kvmsentry {

class ResourceWriter {
 public:
  // OUT outlives it.
  ResourceWriter(KernelTime now, std::span<const FeatureId> active, Reading* out)
      : now_(now), out_(out), active_(Catalogue().size()) {
    for (const FeatureId id : active) active_[static_cast<size_t>(id)] = true;
  }

  KernelTime now() const { return now_; }

  void Level(VmId vm, FeatureId feature, LevelNow level, PartId part = {}) {
    if (Wants(feature)) out_->gauges.push_back({vm, part, feature, level.value, level.given});
  }

  void State(VmId vm, FeatureId feature, uint64_t state, PartId part) {
    if (Wants(feature)) out_->gauges.push_back({vm, part, feature, state});
  }

  void Text(VmId vm, FeatureId feature, std::string text) {
    if (Wants(feature)) {
      ObserveMember(vm, now_, feature, Member{.text = std::move(text)}, &out_->observations);
    }
  }

  void Count(VmId vm, FeatureId feature, uint64_t count, PartId part = {}) {
    if (Wants(feature)) out_->counts.push_back({vm, part, feature, count});
  }

 private:
  bool Wants(FeatureId feature) const { return active_[static_cast<size_t>(feature)]; }

  KernelTime now_;
  Reading* out_;
  std::vector<bool> active_;  // by FeatureId
};

}  // namespace kvmsentry
