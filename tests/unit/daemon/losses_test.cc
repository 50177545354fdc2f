#include "sensor/daemon/losses.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr KernelTime At(int64_t minutes) { return {minutes * 60 * kNsPerSecond}; }

TEST(AddLoss, AReasonOfSeveralSourcesIsOneAndMattersIfAnySaysSo) {
  std::vector<LossView> losses;
  AddLoss({.reason = "ring_full", .meaning = "m", .count = 2, .matters = false}, &losses);
  AddLoss({.reason = "ring_full", .meaning = "m", .count = 3, .matters = true}, &losses);
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].count, 5U);
  EXPECT_TRUE(losses[0].matters);
}

class RecentLossesTest : public ::testing::Test {
 protected:
  uint64_t RecentOf(uint64_t count, KernelTime now) {
    std::vector<LossView> losses = {{.reason = "ring_full", .meaning = "", .count = count}};
    recent_.Mark(losses, now);
    return losses[0].recent;
  }
  RecentLosses recent_;
};

TEST_F(RecentLossesTest, WhatAnEarlierRunLostIsNotRecent) {
  EXPECT_EQ(RecentOf(1200, At(1)), 0U);
  EXPECT_EQ(RecentOf(1200, At(2)), 0U);
  EXPECT_EQ(RecentOf(1203, At(3)), 3U);
}

TEST_F(RecentLossesTest, ALossIsRecentForTenToTwentyMinutes) {
  EXPECT_EQ(RecentOf(0, At(1)), 0U);
  EXPECT_EQ(RecentOf(5, At(10)), 5U);
  EXPECT_EQ(RecentOf(5, At(11)), 5U) << "a new period begins";
  EXPECT_EQ(RecentOf(6, At(20)), 6U);
  EXPECT_EQ(RecentOf(6, At(21)), 1U);
  EXPECT_EQ(RecentOf(6, At(31)), 0U);
}

TEST_F(RecentLossesTest, ACountThatFellIsNoLoss) {
  EXPECT_EQ(RecentOf(9, At(1)), 0U);
  EXPECT_EQ(RecentOf(4, At(2)), 0U);
}

}  // namespace
}  // namespace kvmsentry
