#include "sensor/engine/watch.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {

Watch::Watch(std::shared_ptr<const EngineSpec> of_spec)
    : of(std::move(of_spec)), state(std::in_place_type<MemberWatch>) {
  switch (FeatureOf(spec().feature).kind) {
    case FeatureKind::kRate:
      state.emplace<RateWatch>(of->limits);
      break;
    case FeatureKind::kLevel:
      state.emplace<LevelState>();
      break;
    case FeatureKind::kState:
      state.emplace<StateWatch>();
      break;
    case FeatureKind::kSet:
      if (std::holds_alternative<VarietyNorm>(spec().norm)) state.emplace<VarietyWatch>();
      break;
  }
}

}  // namespace kvmsentry
