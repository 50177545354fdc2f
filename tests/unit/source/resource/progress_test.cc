#include "sensor/source/resource/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using enum VcpuProgress;

constexpr VcpuSeen kRuns = {.state = KS_VCPU_RUNNING, .ran_ns = 1000, .exits = 5};
constexpr VcpuSeen kSleepsOutside = {.state = KS_VCPU_OUTSIDE, .ran_ns = 0, .exits = 0};

TEST(ProgressOfTest, AllThatSleepInTheVmmArePaused) {
  EXPECT_THAT(ProgressOf(std::vector{kSleepsOutside, kSleepsOutside}),
              ElementsAre(kPaused, kPaused));
}

TEST(ProgressOfTest, OneThatSleepsThereWhileOthersRunIsStuck) {
  EXPECT_THAT(ProgressOf(std::vector{kRuns, kSleepsOutside}), ElementsAre(kRunning, kStuck));
}

// An idle guest's others halt: nobody runs, nobody is stuck.
TEST(ProgressOfTest, BesideOneThatHaltsItIsPaused) {
  EXPECT_THAT(ProgressOf(std::vector{VcpuSeen{.state = KS_VCPU_HALTED}, kSleepsOutside}),
              ElementsAre(kHalted, kPaused));
}

// An access to a device ends in the VMM, where a pass may find it.
TEST(ProgressOfTest, OneThatIsInItsVmmForAMomentRuns) {
  EXPECT_THAT(ProgressOf(std::vector{kRuns, VcpuSeen{KS_VCPU_OUTSIDE, 10, 3}}),
              ElementsAre(kRunning, kRunning));
}

TEST(ProgressOfTest, SignalsAndStorageStopAThread) {
  EXPECT_THAT(
      ProgressOf(std::vector{VcpuSeen{KS_VCPU_STOPPED, 0, 0}, VcpuSeen{KS_VCPU_BLOCKED, 0, 0},
                             VcpuSeen{KS_VCPU_WAITING, 0, 0}, VcpuSeen{KS_VCPU_UNKNOWN, 0, 0}}),
      ElementsAre(kStopped, kBlocked, kWaiting, kUnknown));
}

}  // namespace
}  // namespace kvmsentry
