#include "sensor/daemon/observer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "spdlog/spdlog.h"

#include "sensor/source/decode.h"

namespace kvmsentry {

void Observer::Observe(Observation observation) {
  observation.serial = ++serial_;
  engine_.Observe(observation);
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
    Crossed(std::get<Observation>(*record), lossy);
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
  std::vector<Observation> observations;
  for (const std::unique_ptr<Source>& source : sources_.all()) {
    source->Read(now, coverage.active(), &observations);
    if (!source->Tampered().empty()) self_.Tampered(source->Tampered(), now);
  }
  for (const Observation& observation : observations) Observe(observation);
}

std::vector<std::shared_ptr<const SourceCounts>> Observer::Counts() const {
  std::vector<std::shared_ptr<const SourceCounts>> counts;
  for (const std::unique_ptr<Source>& source : sources_.all()) counts.push_back(source->counts());
  return counts;
}

}  // namespace kvmsentry
