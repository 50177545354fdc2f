#include "sensor/daemon/observer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "spdlog/spdlog.h"

#include "sensor/source/catalogue.h"
#include "sensor/source/decode.h"
#include "sensor/source/observe.h"

namespace kvmsentry {

Observer::Observer(Sources& sources, Engine& engine, SelfCheck& self)
    : sources_(sources), engine_(engine), self_(self), losses_(sources.LossesThatMatter()) {
  for (const std::unique_ptr<Source>& source : sources.all()) {
    known_[source->id()].losses = LossesThatMatter(*source);
  }
}

void Observer::Observe(Observation observation) {
  observation.serial = ++serial_;
  if (observation.kind == ObservationKind::kMember) members_.Note(observation);
  engine_.Observe(std::move(observation));
}

void Observer::Crossed(Observation crossed, bool lossy) {
  recorded_at_ = std::max(recorded_at_, crossed.time);
  crossed.lossy = lossy;
  Observe(crossed);
}

void Observer::TakeRecord(std::span<const std::byte> bytes, bool lossy) {
  absl::StatusOr<Record> record = Decode(bytes);
  if (!record.ok()) {
    if (bad_records_++ == 0) spdlog::error("{}", std::string(record.status().message()));
  } else if (std::holds_alternative<VmBorn>(*record)) {
    born_ = true;
  } else if (const auto* canary = std::get_if<Canary>(&*record)) {
    self_.CanaryReturned(canary->number);
  } else {
    const auto& told = std::get<Observation>(*record);
    if (!sources_.vmm().Keeps(told)) Crossed(told, lossy);
  }
}

void Observer::Drain() {
  // What is lost since the last sample the next one will tell; an alert raised before says so too.
  const bool lossy = sources_.LossesThatMatter() != losses_;
  sources_.probe().DrainRing([&](std::span<const std::byte> bytes) { TakeRecord(bytes, lossy); });
  std::vector<Observation> untold;
  for (const std::unique_ptr<Source>& source : sources_.all()) source->TakeUntold(&untold);
  for (const Observation& crossed : untold) Crossed(crossed, lossy);
}

void Observer::Sample(const CoverageBoard& coverage, KernelTime now) {
  if (std::exchange(sampled_at_, now) == now) return;
  losses_ = sources_.LossesThatMatter();
  if (active_ != coverage.active()) SetActive(coverage.active());
  for (const std::unique_ptr<Source>& source : sources_.all()) SampleOf(*source, now);
}

void Observer::SetActive(std::span<const FeatureId> active) {
  active_.assign(active.begin(), active.end());
  for (auto& [id, source] : known_) {
    source.active.clear();
    source.rates.clear();
    source.heard.ForgetAll();  // a feature that was missing for a while may have counted meanwhile
  }
  for (const FeatureId id : active_) {
    const Feature& feature = FeatureOf(id);
    Known& source = known_[feature.source];
    source.active.push_back(id);
    if (feature.kind == FeatureKind::kRate) source.rates.push_back(id);
  }
  for (auto& [id, source] : known_) source.metered = MeteredAmong(source.active);
}

void Observer::Forget(VmId vm) {
  for (auto& [id, source] : known_) source.heard.Forget(vm);
}

// Of a source that does not give all counts, those it leaves out are missing, not at rest.
void Observer::SampleOf(Source& source, KernelTime now) {
  Known& known = known_[source.id()];
  source.Read({.now = now, .active = known.active, .rates = known.metered, .heard = &known.heard},
              &reading_);
  if (!source.Tampered().empty()) self_.Tampered(source.Tampered(), now);
  const uint64_t losses = LossesThatMatter(source);
  const bool lossy = std::exchange(known.losses, losses) != losses;
  std::span<const FeatureId> unchanged;
  if (source.GivesAllCounts()) unchanged = known.rates;
  engine_.Observe(kvmsentry::Sample{.source = source.id(),
                                    .time = now,
                                    .lossy = lossy,
                                    .counts = reading_.counts,
                                    .sightings = reading_.sightings,
                                    .gauges = reading_.gauges,
                                    .unchanged = unchanged});
  for (const Sighting& seen : reading_.sightings) members_.Note(seen, now);
  for (Observation& observation : reading_.observations) Observe(std::move(observation));
  reading_.counts.clear();
  reading_.sightings.clear();
  reading_.gauges.clear();
  reading_.observations.clear();
}

std::vector<std::shared_ptr<const SourceCounts>> Observer::Counts() const {
  std::vector<std::shared_ptr<const SourceCounts>> counts;
  for (const std::unique_ptr<Source>& source : sources_.all()) counts.push_back(source->counts());
  return counts;
}

}  // namespace kvmsentry
