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

// Whether or not there are others: its guest does not get on.
TEST(ProgressOfTest, OneThatWorksAndNeverEntersTheGuestIsStuck) {
  const VcpuSeen spins = {.state = KS_VCPU_RUNNING, .ran_ns = 9, .exits = 0, .outside = true};
  EXPECT_THAT(ProgressOf(std::vector{spins}), ElementsAre(kStuck));
  EXPECT_THAT(ProgressOf(std::vector{spins, kSleepsOutside}), ElementsAre(kStuck, kPaused));
  VcpuSeen computes = spins;
  computes.outside = false;
  EXPECT_THAT(ProgressOf(std::vector{computes}), ElementsAre(kRunning));
  VcpuSeen leaves = spins;
  leaves.exits = 1;
  EXPECT_THAT(ProgressOf(std::vector{leaves}), ElementsAre(kRunning));
}

// An access to a device ends in the VMM, where a pass may find it.
TEST(ProgressOfTest, OneThatIsInItsVmmForAMomentRuns) {
  EXPECT_THAT(ProgressOf(std::vector{kRuns, VcpuSeen{KS_VCPU_OUTSIDE, 10, 3, false}}),
              ElementsAre(kRunning, kRunning));
}

TEST(ProgressOfTest, SignalsAndStorageStopAThread) {
  EXPECT_THAT(ProgressOf(std::vector{
                  VcpuSeen{KS_VCPU_STOPPED, 0, 0, false}, VcpuSeen{KS_VCPU_BLOCKED, 0, 0, false},
                  VcpuSeen{KS_VCPU_WAITING, 0, 0, false}, VcpuSeen{KS_VCPU_UNKNOWN, 0, 0, false}}),
              ElementsAre(kStopped, kBlocked, kWaiting, kUnknown));
}

}  // namespace
}  // namespace kvmsentry
