#include "sensor/inventory/walk_schedule.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr KernelTime Ms(int64_t ms) { return {ms * kNsPerMs}; }

TEST(WalkScheduleTest, TheFirstWalkIsDueAtOnce) { EXPECT_LE(WalkSchedule().Due(), Ms(0)); }

TEST(WalkScheduleTest, WithoutReasonItIsPeriodic) {
  WalkSchedule schedule;
  schedule.Walked(Ms(1000), Ms(1001));
  EXPECT_EQ(schedule.Due(), Ms(11000));
}

TEST(WalkScheduleTest, ARequestIsServedAtOnceIfTheLastWalkIsLongAgo) {
  WalkSchedule schedule;
  schedule.Walked(Ms(1000), Ms(1001));
  schedule.Request(Ms(5000));
  EXPECT_LE(schedule.Due(), Ms(5000));
}

TEST(WalkScheduleTest, AtMostFiveAreMadeInASecond) {
  WalkSchedule schedule;
  int walks = 0;
  for (KernelTime now = Ms(0); now < Ms(10000); now = now + kNsPerMs) {
    schedule.Request(now);
    if (schedule.Due() > now) continue;
    ++walks;
    schedule.Walked(now, now);
  }
  EXPECT_EQ(walks, 50);
}

TEST(WalkScheduleTest, RequestsBeforeAWalkAreServedByItAndLaterOnesAreNot) {
  WalkSchedule schedule;
  schedule.Request(Ms(900));
  schedule.Request(Ms(950));
  schedule.Walked(Ms(1000), Ms(1010));
  EXPECT_EQ(schedule.Due(), Ms(11000));
  schedule.Request(Ms(11000));
  schedule.Request(Ms(11005));  // while walking
  schedule.Walked(Ms(11000), Ms(11010));
  EXPECT_EQ(schedule.Due(), Ms(11200));
}

TEST(WalkScheduleTest, ADoubtIsLookedIntoOnceASecond) {
  WalkSchedule schedule;
  schedule.Walked(Ms(1000), Ms(1001));
  schedule.Doubt();
  EXPECT_EQ(schedule.Due(), Ms(2000));
  schedule.Walked(Ms(2000), Ms(2001));
  EXPECT_EQ(schedule.Due(), Ms(12000));
}

TEST(WalkScheduleTest, LongWalksLeaveTheProcessorToOthers) {
  WalkSchedule schedule;
  schedule.Walked(Ms(1000), Ms(1500));
  schedule.Request(Ms(1500));
  EXPECT_EQ(schedule.Due(), Ms(3000));
}

TEST(WalkScheduleTest, WithoutReasonALongWalkTakesAHundredthOfTheTime) {
  WalkSchedule schedule;
  schedule.Walked(Ms(1000), Ms(1500));
  EXPECT_EQ(schedule.Due(), Ms(51500));
  schedule.Doubt();
  EXPECT_EQ(schedule.Due(), Ms(3000)) << "a doubt is a reason";
}

}  // namespace
}  // namespace kvmsentry
