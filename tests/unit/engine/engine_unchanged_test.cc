// What a sample tells at once, or says to be unchanged, is as if each had been observed.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");
const auto kMmio = FeatureNamed("mmio.rate");
const auto kEntry = FeatureNamed("entry.rate");
const auto kPort = FeatureNamed("pio.port");
const auto kMsr = FeatureNamed("msr.written");
const std::vector<FeatureId> kRates = {kPio, kMmio, kEntry};

std::shared_ptr<const SpecLibrary> Specs() {
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs({
      MaxSpec("second", kPio, 1'000, kNsPerSecond),
      MaxSpec("long", kPio, 700, 20 * kNsPerSecond),
      BurstSpec("burst", kPio, 400, 50 * kNsPerMs),
      MaxSpec("mmio", kMmio, 1'000, 2 * kNsPerSecond),
      MinSpec("idle", kEntry, 50, 2 * kNsPerSecond),
      DenySpec("port", kPort, {{0, 3}}, kNsPerSecond),
      AllowSpec("msr", kMsr, {{0, 30}}, 3 * kNsPerSecond),
      VarietySpec("ports", kPort, 12, 2 * kNsPerSecond),
  }));
}

// The same VMs twice: one engine is shown every count and member by itself, the other a sample of
// the counts that changed and of the members.
class TwoEngines {
 public:
  static constexpr uint64_t kVms = 5;

  TwoEngines() {
    for (uint64_t vm = 1; vm <= kVms; ++vm) {
      each_.UpsertVm(Vm(vm, "vm-" + std::to_string(vm)), {0});
      changed_.UpsertVm(Vm(vm, "vm-" + std::to_string(vm)), {0});
    }
  }

  void Tick(int64_t at_ms, std::mt19937& random) {
    const bool lossy = random() % 50 == 0;
    std::vector<Count> news;
    std::vector<Sighting> sightings;
    for (uint64_t vm = 1; vm <= kVms; ++vm) {
      for (size_t rate = 0; rate < kRates.size(); ++rate) {
        uint64_t& count = counts_[vm][rate];
        const bool is_new = count == 0;
        // Mostly at rest, for a while, and then busy, for a while.
        uint64_t& busy = busy_[vm][rate];
        if (random() % 40 == 0) busy = random() % 3 == 0 ? 0 : random() % 200;
        const uint64_t step = busy == 0 || random() % 4 == 0 ? 0 : random() % busy;
        count += is_new ? 1'000 : step;
        Observation o = Seen(ObservationKind::kCount, {vm}, kRates[rate], count, at_ms);
        o.serial = ++serial_;
        o.lossy = lossy;
        if (random() % 3 == 0) o.detail = random() % 8;
        if (step == 0) o.detail.reset();
        each_.Observe(o);
        if (is_new || step != 0) news.push_back({o.vm, o.part, o.feature, o.value, o.detail});
        if (random() % 200 != 0) continue;
        o.kind = ObservationKind::kCrossed;
        o.value = 300 + random() % 1'000;
        o.window_ns = 50 * kNsPerMs;
        o.time = {at_ms * kNsPerMs - static_cast<int64_t>(random() % 50) * kNsPerMs};
        each_.Observe(o);
        changed_.Observe(o);
      }
    }
    for (uint64_t vm = 1; vm <= kVms; ++vm) {
      for (uint64_t i = random() % 4; i > 0; --i) {
        const bool calm = at_ms / 5'000 % 2 == 0;
        Observation o = Seen(ObservationKind::kMember, {vm}, random() % 2 == 0 ? kPort : kMsr,
                             calm ? 10 : random() % 40, at_ms);
        o.serial = ++serial_;
        each_.Observe(o);
        sightings.push_back({o.vm, o.feature, o.value});
      }
    }
    std::ranges::shuffle(news, random);
    changed_.Observe(Sample{.source = SourceId::kKvm,
                            .time = {at_ms * kNsPerMs},
                            .lossy = lossy,
                            .counts = news,
                            .sightings = sightings,
                            .unchanged = kRates});
    const auto expected = each_.Tick({at_ms * kNsPerMs});
    const auto events = changed_.Tick({at_ms * kNsPerMs});
    ASSERT_EQ(events.size(), expected.size()) << at_ms;
    for (size_t i = 0; i < events.size(); ++i) {
      ASSERT_EQ(Whole(events[i]), Whole(expected[i])) << at_ms;
    }
    told_ += events.size();
  }
  size_t told() const { return told_; }

 private:
  Engine each_{Specs(), EngineOptions()};
  Engine changed_{Specs(), EngineOptions()};
  std::map<uint64_t, std::array<uint64_t, 3>> counts_;
  std::map<uint64_t, std::array<uint64_t, 3>> busy_;
  uint64_t serial_ = 0;
  size_t told_ = 0;
};

TEST(EngineUnchangedTest, IsTheSameToTheBit) {
  size_t told = 0;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    TwoEngines two;
    for (int64_t at = 100; at <= 60'000; at += 100) {
      two.Tick(at, random);
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
    }
    told += two.told();
  }
  EXPECT_GT(told, 100U) << "else there was nothing to compare";
}

// An engine with one VM whose counts are observed once and then unchanged until UNTIL.
class Resting {
 public:
  explicit Resting(std::vector<Spec> specs)
      : engine_(std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs(std::move(specs))),
                NoBands()) {
    engine_.UpsertVm(Vm(1, "web-1"), {0});
  }
  static EngineOptions NoBands() {
    EngineOptions options;
    options.notice_at = options.warning_at = options.critical_at = 0;
    return options;
  }
  void Count(uint64_t value, int64_t at_ms) {
    engine_.Observe(Seen(ObservationKind::kCount, {1}, kPio, value, at_ms));
  }
  std::vector<std::string> Rest(int64_t from_ms, int64_t until_ms) {
    std::vector<std::string> all;
    for (int64_t at = from_ms; at <= until_ms; at += 100) {
      engine_.Observe(Sample{
          .source = SourceId::kKvm, .time = {at * kNsPerMs}, .counts = {}, .unchanged = rates_});
      for (const auto& told : Brief(engine_.Tick({at * kNsPerMs}))) all.push_back(told);
    }
    return all;
  }
  void SetRates(std::vector<FeatureId> rates) { rates_ = std::move(rates); }
  Engine& engine() { return engine_; }

 private:
  Engine engine_;
  std::vector<FeatureId> rates_ = kRates;
};

TEST(EngineUnchangedTest, WhatCountsAfterALongRestCountsInFull) {
  Resting vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Count(5, 100);
  EXPECT_THAT(vm.Rest(100, 600'000), IsEmpty());
  // Within one tick: had the rest been missing, it would be spread over ten minutes.
  vm.Count(5 + 1'001, 600'100);
  EXPECT_THAT(vm.Rest(600'100, 600'100), ElementsAre("OPEN storm"));
  Resting calm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  calm.Count(5, 100);
  calm.Rest(100, 600'000);
  calm.Count(5 + 1'000, 600'100);
  EXPECT_THAT(calm.Rest(600'100, 605'000), IsEmpty());
}

TEST(EngineUnchangedTest, AMinimumIsMissedByRestingAndNotByMissing) {
  Resting vm({MinSpec("idle", kPio, 10, 2 * kNsPerSecond)});
  vm.Count(5, 100);
  EXPECT_THAT(vm.Rest(100, 5'000), ElementsAre("OPEN idle"));
  Resting missing({MinSpec("idle", kPio, 10, 2 * kNsPerSecond)});
  missing.SetRates({kMmio});
  missing.Count(5, 100);
  EXPECT_THAT(missing.Rest(100, 5'000), IsEmpty()) << "nobody said that it is unchanged";
}

// A hook that is shed counts nothing: its rates are missing meanwhile, not at rest.
TEST(EngineUnchangedTest, ARateThatIsNoLongerNamedIsMissing) {
  Resting vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Count(5, 100);
  vm.Rest(100, 10'000);
  vm.SetRates({kMmio});
  vm.Rest(10'100, 20'000);
  vm.SetRates(kRates);
  vm.Count(5 + 9'000, 20'100);  // within ten seconds: 900 a second, not 9,000 in a tick
  EXPECT_THAT(vm.Rest(20'100, 20'100), IsEmpty());
}

TEST(EngineUnchangedTest, AnOpenAlertClearsByRest) {
  Resting vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Count(5, 100);
  vm.Rest(100, 1'000);
  vm.Count(5'000, 1'100);
  EXPECT_THAT(vm.Rest(1'100, 1'100), ElementsAre("OPEN storm"));
  EXPECT_THAT(vm.Rest(1'200, 10'000), ElementsAre("CLEARED storm"));
}

// Facts, and so the specs that apply, may change while counts rest.
TEST(EngineUnchangedTest, AChangeOfSpecsKeepsWhatWasUnchanged) {
  const Spec storm = MaxSpec("storm", kPio, 1'000, kNsPerSecond);
  Resting vm({storm, MaxSpec("other", kPio, 9'000, kNsPerSecond)});
  vm.Count(5, 100);
  vm.Rest(100, 10'000);
  vm.engine().SetLibrary(std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs({storm})));
  vm.Count(5 + 1'001, 10'100);
  EXPECT_THAT(vm.Rest(10'100, 10'100), ElementsAre("OPEN storm"));
}

}  // namespace
}  // namespace kvmsentry
