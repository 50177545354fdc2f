// Appends observations of those features that are wanted.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sensor/source/catalogue.h"
#include "sensor/source/resource/features.h"
#include "sensor/source/resource/levels.h"
#include "sensor/source/source.h"

namespace kvmsentry {

class ResourceWriter {
 public:
  // OUT outlives it.
  ResourceWriter(KernelTime now, std::span<const FeatureId> active, bool lossy, Reading* out)
      : now_(now), lossy_(lossy), out_(out), active_(Catalogue().size()) {
    for (const FeatureId id : active) active_[static_cast<size_t>(id)] = true;
  }

  KernelTime now() const { return now_; }

  void Level(VmId vm, FeatureId feature, LevelNow level, PartId part = {}) {
    if (Observation* observation = Add(vm, feature, ObservationKind::kLevel, part)) {
      observation->value = level.value;
      observation->given = level.given;
    }
  }

  void State(VmId vm, FeatureId feature, uint64_t state, PartId part) {
    if (Observation* observation = Add(vm, feature, ObservationKind::kState, part)) {
      observation->value = state;
    }
  }

  void Text(VmId vm, FeatureId feature, std::string text) {
    if (Observation* observation = Add(vm, feature, ObservationKind::kMember, {})) {
      observation->member = std::make_shared<const Member>(Member{.text = std::move(text)});
    }
  }

  void Count(VmId vm, FeatureId feature, uint64_t count, PartId part = {}) {
    if (Wants(feature)) out_->counts.push_back({vm, part, feature, count});
  }

 private:
  bool Wants(FeatureId feature) const { return active_[static_cast<size_t>(feature)]; }
  // nullptr where nobody wants it.
  Observation* Add(VmId vm, FeatureId feature, ObservationKind kind, PartId part) {
    if (!Wants(feature)) return nullptr;
    Observation& observation = out_->observations.emplace_back();
    observation.time = now_;
    observation.vm = vm;
    observation.part = part;
    observation.kind = kind;
    observation.feature = feature;
    observation.lossy = lossy_;
    return &observation;
  }

  KernelTime now_;
  bool lossy_;
  Reading* out_;
  std::vector<bool> active_;  // by FeatureId
};

}  // namespace kvmsentry
