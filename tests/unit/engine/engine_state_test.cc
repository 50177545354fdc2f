#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/types_test_vm.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

enum State : uint64_t { kIdle, kRunning, kStuck };
const std::string kDeny =
    "id: \"stuck\" feature: \"test.state\" norm { deny { state: \"stuck\" } }";

TEST(EngineStateTest, AForbiddenStateIsOpenUntilAnotherIsEntered) {
  TypesVm vm({kDeny});
  vm.State(kRunning, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  vm.State(kStuck, 150);
  ASSERT_THAT(vm.Tick(200), ElementsAre("OPEN stuck"));
  EXPECT_EQ(vm.events()[0].summary, "VM \"web-1\": the test forbidden: stuck");
  EXPECT_THAT(vm.Tick(20'000), IsEmpty()) << "it lasts, though nothing was observed";
  vm.State(kIdle, 20'050);
  ASSERT_THAT(vm.Tick(20'150), ElementsAre("CLEARED stuck"));
  EXPECT_EQ(vm.events()[0].summary,
            "VM \"web-1\": the test idle again (the test forbidden: stuck); the alert lasted 20 s");
}

// Events lead to a state at their own time, between samples.
TEST(EngineStateTest, AStateThatIsObservedByItselfCountsAsOneOfASample) {
  TypesVm vm({kDeny});
  vm.State(kRunning, 50);
  vm.Observe(ObservationKind::kState, "test.state", kStuck, 70);
  ASSERT_THAT(vm.Tick(100), ElementsAre("OPEN stuck"));
  vm.State(kIdle, 3'050);
  EXPECT_THAT(vm.Tick(3'150), ElementsAre("CLEARED stuck"));
}

TEST(EngineStateTest, OnlyWhatIsAllowedIsNormal) {
  TypesVm vm(
      {"id: \"only\" feature: \"test.state\" norm { allow { state: [\"idle\", \"running\"] } }"});
  vm.State(kIdle, 50);
  vm.State(kRunning, 60);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  vm.State(kStuck, 150);
  ASSERT_THAT(vm.Tick(200), ElementsAre("OPEN only"));
  EXPECT_EQ(vm.events()[0].summary,
            "VM \"web-1\": the test not allowed: stuck; allowed: states idle, running");
}

TEST(EngineStateTest, ForIsHowLongTheStateLasts) {
  TypesVm vm({kDeny + " for { seconds: 5 }"});
  vm.State(kStuck, 100);
  EXPECT_THAT(vm.Tick(200), IsEmpty());
  EXPECT_THAT(vm.Tick(5'000), IsEmpty());
  ASSERT_THAT(vm.Tick(5'150), ElementsAre("OPEN stuck"));
  EXPECT_EQ(vm.events()[0].at.ns, 5'100 * kNsPerMs);
}

TEST(EngineStateTest, AStateLeftInTimeIsNone) {
  TypesVm vm({kDeny + " for { seconds: 5 }"});
  vm.State(kStuck, 100);
  EXPECT_THAT(vm.Tick(200), IsEmpty());
  vm.State(kRunning, 5'000);
  EXPECT_THAT(vm.Tick(5'050), IsEmpty());
  vm.State(kStuck, 5'060);
  EXPECT_THAT(vm.Tick(10'050), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
