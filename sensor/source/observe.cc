#include "sensor/source/observe.h"

#include <memory>
#include <utility>
#include <variant>

#include "sensor/source/catalogue.h"
#include "sensor/source/decode.h"

namespace kvmsentry {
namespace {

Observation& AddMember(VmId vm, KernelTime now, FeatureId feature, std::vector<Observation>* out) {
  Observation& observation = out->emplace_back();
  observation.time = now;
  observation.vm = vm;
  observation.kind = ObservationKind::kMember;
  observation.feature = feature;
  return observation;
}

}  // namespace

uint64_t LossesThatMatter(const Source& source) {
  uint64_t sum = 0;
  for (const Loss& loss : source.Losses()) sum += loss.matters ? loss.count : 0;
  return sum;
}

void ObserveCounts(const Sampling& sampling, VmId vm, std::span<const uint64_t> count,
                   std::span<const uint64_t> last, bool lossy, std::vector<Observation>* out) {
  ChangedCounts::OfVm& heard = sampling.heard->Of(vm);
  for (const FeatureId id : sampling.active) {
    const Feature& feature = FeatureOf(id);
    if (!feature.meter || !heard.Changed(id, count[*feature.meter])) continue;
    Observation& observation = out->emplace_back();
    observation.time = sampling.now;
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
  Observation& observation = AddMember(vm, now, feature, out);
  observation.value = member;
  observation.detail = member;
}

void ObserveMember(VmId vm, KernelTime now, FeatureId feature, Member member,
                   std::vector<Observation>* out) {
  AddMember(vm, now, feature, out).member = std::make_shared<const Member>(std::move(member));
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
    details->counts[feature.id] = count[*feature.meter];
  }
}

std::span<const uint64_t> CountsByVm::Of(VmId vm) const {
  const auto found = counts_.find(vm);
  return found == counts_.end() ? none_ : found->second;
}

bool CountsByVm::WentBackSince(const CountsByVm& before) const {
  for (const auto& [vm, count] : counts_) {
    if (WentBack(before.Of(vm), count)) return true;
  }
  return false;
}

void CountsByVm::Show(const VmPlace& vm, VmDetails* details) const {
  ShowCounts(source_, Of(vm.vm), details);
}

bool WentBack(std::span<const uint64_t> before, std::span<const uint64_t> now) {
  for (size_t meter = 0; meter < now.size(); ++meter) {
    if (now[meter] < before[meter]) return true;
  }
  return false;
}

}  // namespace kvmsentry
