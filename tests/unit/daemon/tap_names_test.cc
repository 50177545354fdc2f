#include "sensor/daemon/tap_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "sensor/spec/library.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr VmId kVm{1};
constexpr PartId kPart{PartKind::kTap, 17};

constexpr char kDrops[] = R"(
spec {
  id: "drops"
  point: R1
  feature: "tap.to_guest.drop.rate"
  select { part: "tap-vnet*" }
  norm { max: 10 }
  window { seconds: 1 }
  weight: 10
  severity: NOTICE
  why: "why"
  look_at: "look"
})";

class TapNamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<SpecSource> sources = {{"drops", kDrops}};
    auto parsed = SpecLibrary::Parse(sources);
    for (const Problem& problem : parsed.problems) FAIL() << ToString(problem);
    engine_.emplace(std::make_shared<const SpecLibrary>(std::move(parsed.library)),
                    EngineOptions{});
    VmFacts facts;
    facts.id = kVm;
    engine_->UpsertVm(facts, {0});
  }

  void Has(const std::vector<std::string>& interfaces) {
    DeviceList devices;
    for (const std::string& name : interfaces) {
      devices.devices.push_back({.kind = DeviceKind::kTap, .name = name, .ifindex = kPart.index});
    }
    names_.Take(kVm, devices, *engine_);
  }

  // The parts whose alerts came to STATE in three seconds in which packets are dropped.
  std::vector<std::string> Drop(AlertState state) {
    std::vector<std::string> parts;
    for (int tick = 0; tick < 6; ++tick) {
      now_ = now_ + kNsPerSecond / 2;
      dropped_ += 100;
      Observation drops;
      drops.time = now_;
      drops.vm = kVm;
      drops.part = kPart;
      drops.feature = FeatureNamed("tap.to_guest.drop.rate");
      drops.serial = ++serial_;
      drops.value = dropped_;
      engine_->Observe(drops);
      for (const AlertEvent& event : engine_->Tick(now_)) {
        if (event.state == state && event.spec_id == "drops") parts.push_back(event.part);
      }
    }
    return parts;
  }

  TapNames names_;
  std::optional<Engine> engine_;
  KernelTime now_;
  uint64_t dropped_ = 0, serial_ = 0;
};

TEST_F(TapNamesTest, ATapGoesByItsInterfacesNameUntilItIsGone) {
  Has({"vnet3"});
  EXPECT_THAT(Drop(AlertState::kOpen), ElementsAre("tap-vnet3"));
  Has({"vnet3"});
  EXPECT_THAT(Drop(AlertState::kCleared), IsEmpty());
  Has({});
  EXPECT_THAT(Drop(AlertState::kCleared), ElementsAre("tap-vnet3"));
}

TEST_F(TapNamesTest, AnotherNameIsAnotherTapToSelectors) {
  Has({"eth9"});
  EXPECT_THAT(Drop(AlertState::kOpen), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
