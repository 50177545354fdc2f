#include "sensor/source/observe.h"

#include <algorithm>
#include <memory>
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

std::vector<const Feature*> MeteredAmong(std::span<const FeatureId> features) {
  std::vector<const Feature*> metered;
  for (const FeatureId id : features) {
    if (FeatureOf(id).meter) metered.push_back(&FeatureOf(id));
  }
  return metered;
}

void ObserveCounts(const Sampling& sampling, VmId vm, std::span<const uint64_t> count,
                   std::span<const uint64_t> last, std::vector<Count>* out, PartId part) {
  std::vector<uint64_t>& heard = sampling.heard->Of(vm, part);
  if (std::ranges::equal(heard, count)) return;  // most VMs, most of the time
  const bool first = heard.empty();
  for (const Feature* rate : sampling.rates) {
    const size_t meter = *rate->meter;
    if (rate->part != part.kind || (!first && heard[meter] == count[meter])) continue;
    Count& counted = out->emplace_back();
    counted = {vm, part, rate->id, count[meter]};
    if (rate->member != nullptr && counted.value != 0 && !last.empty()) {
      counted.detail = last[meter];
    }
  }
  heard.assign(count.begin(), count.end());
}

void ObserveMember(VmId vm, KernelTime now, FeatureId feature, Member member,
                   std::vector<Observation>* out) {
  Observation& observation = out->emplace_back();
  observation.time = now;
  observation.vm = vm;
  observation.kind = ObservationKind::kMember;
  observation.feature = feature;
  observation.member = std::make_shared<const Member>(std::move(member));
}

void ObserveUntold(std::span<const ks_limit_crossed> untold, std::vector<Observation>* out) {
  for (const ks_limit_crossed& record : untold) {
    absl::StatusOr<Record> decoded = Decode(std::as_bytes(std::span(&record, 1)));
    if (decoded.ok()) out->push_back(std::get<Observation>(*std::move(decoded)));
  }
}

void ShowCounts(SourceId source, std::span<const uint64_t> count, VmDetails* details) {
  for (const Feature& feature : Catalogue()) {
    if (!feature.meter || feature.source != source || feature.part != PartKind::kVm) continue;
    details->counts[feature.id] = count[*feature.meter];
  }
}

std::span<uint64_t> CountsByVm::Add(const VmPlace& vm) {
  places_.push_back(vm);
  counts_.resize(counts_.size() + none_.size());
  return std::span(counts_).last(none_.size());
}

std::optional<size_t> CountsByVm::Find(const VmPlace& vm) const {
  const auto found = std::ranges::lower_bound(places_, vm.slot, {}, &VmPlace::slot);
  if (found == places_.end() || found->vm != vm.vm) return std::nullopt;
  return static_cast<size_t>(found - places_.begin());
}

std::span<const uint64_t> CountsByVm::Of(const VmPlace& vm) const {
  const auto found = Find(vm);
  return found ? At(*found) : std::span(none_);
}

bool CountsByVm::WentBackSince(const CountsByVm& before) const {
  size_t earlier = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    while (earlier < before.places_.size() && before.places_[earlier].slot < places_[i].slot) {
      ++earlier;
    }
    if (earlier == before.places_.size()) return false;
    if (before.places_[earlier] == places_[i] && WentBack(before.At(earlier), At(i))) return true;
  }
  return false;
}

void CountsByVm::Show(const VmPlace& vm, VmDetails* details) const {
  ShowCounts(source_, Of(vm), details);
}

bool WentBack(std::span<const uint64_t> before, std::span<const uint64_t> now) {
  for (size_t meter = 0; meter < now.size(); ++meter) {
    if (now[meter] < before[meter]) return true;
  }
  return false;
}

}  // namespace kvmsentry
