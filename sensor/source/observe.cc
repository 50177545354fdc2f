#include "sensor/source/observe.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "sensor/source/catalogue.h"
#include "sensor/source/decode.h"

namespace kvmsentry {

uint64_t LossesThatMatter(const Source& source) {
  uint64_t sum = 0;
  for (const Loss& loss : source.Losses()) sum += loss.matters ? loss.count : 0;
  return sum;
}

void ObserveCounts(SourceId source, VmId vm, KernelTime now, std::span<const FeatureId> active,
                   std::span<const uint64_t> count, std::span<const uint64_t> last, bool lossy,
                   std::vector<Observation>* out) {
  for (const FeatureId id : active) {
    const Feature& feature = FeatureOf(id);
    if (!feature.meter || feature.source != source) continue;
    Observation& observation = out->emplace_back();
    observation.time = now;
    observation.vm = vm;
    observation.kind = ObservationKind::kCount;
    observation.feature = id;
    observation.value = count[*feature.meter];
    observation.lossy = lossy;
    if (feature.member != nullptr && observation.value != 0 && !last.empty()) {
      observation.detail = last[*feature.meter];
    }
  }
}

void ObserveMember(VmId vm, KernelTime now, FeatureId feature, uint64_t member,
                   std::vector<Observation>* out) {
  Observation& observation = out->emplace_back();
  observation.time = now;
  observation.vm = vm;
  observation.kind = ObservationKind::kMember;
  observation.feature = feature;
  observation.value = member;
  observation.detail = member;
}

void ObserveUntold(std::span<const ks_limit_crossed> untold, std::vector<Observation>* out) {
  for (const ks_limit_crossed& record : untold) {
    absl::StatusOr<Record> decoded = Decode(std::as_bytes(std::span(&record, 1)));
    if (decoded.ok()) out->push_back(std::get<Observation>(*std::move(decoded)));
  }
}

void ShowCounts(SourceId source, std::span<const uint64_t> count, VmDetails* details) {
  for (const Feature& feature : Catalogue()) {
    if (!feature.meter || feature.source != source) continue;
    details->counts[std::string(feature.name)] = count[*feature.meter];
  }
}

std::vector<Provider> ProvidersOf(std::span<const HookCoverage> coverage,
                                  std::span<const Hook> hooks) {
  std::vector<Provider> providers;
  for (const HookCoverage& hook : coverage) {
    if (hook.hook < hooks.data() || hook.hook >= hooks.data() + hooks.size()) continue;
    providers.push_back({.name = hook.hook->name,
                         .coverage = hook.coverage,
                         .variant = hook.variant,
                         .reason = hook.reason,
                         .provides = hook.hook->provides});
  }
  return providers;
}

}  // namespace kvmsentry
