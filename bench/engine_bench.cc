// How many observations a second the engine takes: a host of many VMs, each counted in every
// feature at each tick of 100 ms.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "absl/strings/str_cat.h"

#include "sensor/engine/engine.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr int64_t kTickNs = 100 * kNsPerMs;

// What the kernel counts of a VM and is read at each tick.
std::vector<Feature> Counted() {
  std::vector<Feature> counted;
  for (const Feature& feature : Catalogue()) {
    if (feature.source != SourceId::kResource) counted.push_back(feature);
  }
  return counted;
}

// Two ranges and a burst of each rate, one set of each set.
std::shared_ptr<const SpecLibrary> BenchLibrary() {
  std::vector<Spec> specs;
  const auto add = [&specs](const Feature& feature, absl::string_view kind, Norm norm,
                            int64_t window_ns) {
    Spec spec;
    spec.id = absl::StrCat(feature.name, "-", kind);
    spec.feature = feature.id;
    spec.norm = std::move(norm);
    spec.window_ns = window_ns;
    spec.weight = 10;
    spec.severity = Severity::kWarning;
    specs.push_back(std::move(spec));
  };
  for (const Feature& feature : Counted()) {
    if (feature.kind == FeatureKind::kSet) {
      add(feature, "deny", SetNorm{.allow = false, .members = {{1, 8}}}, kNsPerSecond);
      continue;
    }
    RangeNorm range;
    range.max = 20'000;
    range.clear_max = 16'000;
    add(feature, "second", range, kNsPerSecond);
    add(feature, "minute", range, 60 * kNsPerSecond);
    add(feature, "burst", BurstNorm{.count = 2'000, .window_ns = 10 * kNsPerMs}, kNsPerSecond);
  }
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs(std::move(specs)));
}

// STORM: in how many of a hundred VMs every rate is far above its norm.
void BM_Ticks(benchmark::State& state) {
  const auto vms = static_cast<uint64_t>(state.range(0));
  const auto storm = static_cast<uint64_t>(state.range(1));
  Engine engine(BenchLibrary(), EngineOptions());
  for (uint64_t vm = 1; vm <= vms; ++vm) {
    VmFacts facts;
    facts.id = {vm};
    facts.name = "vm-" + std::to_string(vm);
    facts.given_name = facts.name;
    engine.UpsertVm(facts, {0});
  }
  const std::vector<Feature> counted = Counted();
  int64_t now_ns = 0;
  uint64_t ticks = 0;
  int64_t observations = 0;
  int64_t alerts = 0;
  std::vector<Count> counts;
  std::vector<Sighting> sightings;
  const auto tick = [&] {
    now_ns += kTickNs;
    ++ticks;
    counts.clear();
    sightings.clear();
    for (uint64_t vm = 1; vm <= vms; ++vm) {
      for (const Feature& feature : counted) {
        ++observations;
        if (feature.kind == FeatureKind::kSet) {
          sightings.push_back({{vm}, feature.id, 100});
        } else {
          counts.push_back({{vm}, {}, feature.id, ticks * (vm % 100 < storm ? 10'000 : 100)});
        }
      }
    }
    engine.Observe(Sample{.time = {now_ns}, .counts = counts, .sightings = sightings});
    alerts += static_cast<int64_t>(engine.Tick({now_ns}).size());
  };
  for (int i = 0; i < 20; ++i) tick();  // until windows are full and what deviates is open
  observations = 0;
  alerts = 0;
  for (auto _ : state) tick();
  state.SetItemsProcessed(observations);
  state.counters["alerts"] = static_cast<double>(alerts);
}
BENCHMARK(BM_Ticks)
    ->ArgNames({"vms", "storming_percent"})
    ->Args({10, 0})
    ->Args({100, 0})
    ->Args({1000, 0})
    ->Args({1000, 10})
    ->Args({1000, 100})
    ->Unit(benchmark::kMillisecond);

// A tick in which only BUSY percent of the VMs counted anything.
void BM_Rest(benchmark::State& state) {
  const auto vms = static_cast<uint64_t>(state.range(0));
  const auto busy = static_cast<uint64_t>(state.range(1));
  Engine engine(BenchLibrary(), EngineOptions());
  std::vector<FeatureId> rates;
  for (const Feature& feature : Counted()) {
    if (feature.kind == FeatureKind::kRate) rates.push_back(feature.id);
  }
  for (uint64_t vm = 1; vm <= vms; ++vm) {
    VmFacts facts;
    facts.id = {vm};
    facts.name = "vm-" + std::to_string(vm);
    engine.UpsertVm(facts, {0});
  }
  int64_t now_ns = 0;
  std::vector<Count> counts;
  const auto tick = [&](uint64_t observed) {
    now_ns += kTickNs;
    counts.clear();
    for (uint64_t vm = 1; vm <= observed; ++vm) {
      for (const FeatureId rate : rates) {
        counts.push_back({{vm}, {}, rate, static_cast<uint64_t>(now_ns / kTickNs)});
      }
    }
    engine.Observe(Sample{.time = {now_ns}, .counts = counts, .unchanged = rates});
    benchmark::DoNotOptimize(engine.Tick({now_ns}));
  };
  tick(vms);
  tick(vms);
  for (auto _ : state) tick(vms * busy / 100);
}
BENCHMARK(BM_Rest)
    ->ArgNames({"vms", "busy_percent"})
    ->Args({1000, 0})
    ->Args({1000, 1})
    ->Args({1000, 10})
    ->Args({10000, 0})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kvmsentry

BENCHMARK_MAIN();
