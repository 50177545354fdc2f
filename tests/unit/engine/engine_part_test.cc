#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/types_test_vm.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr auto kCount = ObservationKind::kCount;
const std::string kStorm = "id: \"storm\" feature: \"test.vcpu.rate\" norm { max: 1000 }";

PartId Vcpu(uint32_t index) { return {PartKind::kVcpu, index}; }

// Each vCPU counts STEP(index) a tick.
template <typename Step>
std::vector<std::string> Flow(TypesVm& vm, uint32_t vcpus, int64_t until_ms, Step step) {
  std::vector<std::string> all;
  for (int64_t at = 100; at <= until_ms; at += 100) {
    for (uint32_t i = 0; i < vcpus; ++i) {
      vm.Observe(kCount, "test.vcpu.rate", static_cast<uint64_t>(at / 100) * step(i), at, Vcpu(i));
    }
    for (auto& told : vm.Tick(at)) all.push_back(std::move(told));
  }
  return all;
}

TEST(EnginePartTest, TheAlertNamesThePartAndEachIsJudgedAlone) {
  TypesVm vm({kStorm});
  // All together they pass the limit, but none does.
  EXPECT_THAT(Flow(vm, 4, 3'000, [](uint32_t) { return 90U; }), IsEmpty());
  TypesVm one({kStorm});
  EXPECT_THAT(Flow(one, 4, 3'000, [](uint32_t i) { return i == 2 ? 200U : 10U; }),
              ElementsAre("OPEN storm vcpu-2"));
}

TEST(EnginePartTest, OnePartsStormDoesNotHideAnothers) {
  TypesVm vm({kStorm});
  EXPECT_THAT(Flow(vm, 3, 3'000, [](uint32_t i) { return i == 0   ? 150U
                                                         : i == 1 ? 140U
                                                                  : 1U; }),
              UnorderedElementsAre("OPEN storm vcpu-0", "OPEN storm vcpu-1"));
  EXPECT_NE(vm.engine().ScoreOf({1})->open_alerts, 0U);
  EXPECT_EQ(vm.engine().ScoreOf({1})->millipoints, 15'000) << "a spec counts once, by its worst";
}

TEST(EnginePartTest, AnAlertHasAKeyOfItsPart) {
  TypesVm vm({kStorm});
  for (int64_t at = 100; at <= 2'000; at += 100) {
    for (uint32_t i = 0; i < 2; ++i) {
      vm.Observe(kCount, "test.vcpu.rate", static_cast<uint64_t>(at) * 5, at, Vcpu(i));
    }
    if (vm.Tick(at).empty()) continue;
    ASSERT_EQ(vm.events().size(), 2U);
    EXPECT_EQ(vm.events()[0].key, "storm/web-1/vcpu-0");
    EXPECT_EQ(vm.events()[1].key, "storm/web-1/vcpu-1");
    EXPECT_THAT(vm.events()[1].summary, HasSubstr("VM \"web-1\", vcpu-1: "));
    return;
  }
  FAIL() << "no alert";
}

TEST(EnginePartTest, SelectorsAndExceptionsChooseParts) {
  TypesVm chosen({kStorm + " select { part: \"vcpu-[02]\" }"});
  EXPECT_THAT(Flow(chosen, 3, 3'000, [](uint32_t) { return 200U; }),
              UnorderedElementsAre("OPEN storm vcpu-0", "OPEN storm vcpu-2"));
  TypesVm excepted({kStorm + " except { part: \"vcpu-0\" }"});
  EXPECT_THAT(Flow(excepted, 3, 3'000, [](uint32_t) { return 200U; }),
              UnorderedElementsAre("OPEN storm vcpu-1", "OPEN storm vcpu-2"));
}

TEST(EnginePartTest, APartThatIsRemovedClears) {
  TypesVm vm({kStorm});
  Flow(vm, 2, 3'000, [](uint32_t i) { return i == 1 ? 200U : 1U; });
  vm.engine().RemovePart({1}, Vcpu(1));
  ASSERT_THAT(vm.Tick(3'100), ElementsAre("CLEARED storm vcpu-1"));
  EXPECT_THAT(vm.events()[0].summary, HasSubstr("vcpu-1 was removed; the alert lasted "));
}

TEST(EnginePartTest, ANameIsShownAndSelected) {
  TypesVm vm(
      {"id: \"full\" feature: \"test.disk.memory\" norm { max: 10 } "
       "select { part: \"disk-vd*\" }"});
  vm.engine().NamePart({1}, {PartKind::kDisk, 0}, "disk-vda");
  vm.engine().NamePart({1}, {PartKind::kDisk, 1}, "disk-sda");
  vm.Sampled("test.disk.memory", 11, 100, {PartKind::kDisk, 0});
  vm.Sampled("test.disk.memory", 11, 100, {PartKind::kDisk, 1});
  EXPECT_THAT(vm.Tick(100), ElementsAre("OPEN full disk-vda"));
}

TEST(EnginePartTest, PartsBeyondTheMaximumAreCountedTogetherAndThatIsReported) {
  EngineOptions options = TypesVm::Quiet();
  options.max_parts = 2;
  // Each of the 8 is below the limit; the 6 that are beyond the maximum are above it together.
  TypesVm vm({kStorm}, options);
  EXPECT_THAT(Flow(vm, 8, 3'000, [](uint32_t) { return 30U; }),
              UnorderedElementsAre("OPEN too-many-parts", "OPEN storm vcpu-others"));
  vm.engine().RemoveVm({1}, {3'100 * kNsPerMs});
  EXPECT_THAT(vm.Tick(3'100),
              UnorderedElementsAre("CLEARED too-many-parts", "CLEARED storm vcpu-others"));
  TypesVm few({kStorm}, options);
  EXPECT_THAT(Flow(few, 2, 3'000, [](uint32_t) { return 30U; }), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
