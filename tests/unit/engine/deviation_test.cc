#include "sensor/engine/deviation.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr int64_t kHalfLife = 100;
constexpr int32_t kWeight = 10;

class DeviationTest : public testing::Test {
 protected:
  AlertState Next(int64_t now, int64_t update_every = 0) {
    return deviation_.Next({now}, update_every, kHalfLife, kWeight);
  }
  int64_t Millipoints(int64_t now) { return deviation_.Millipoints({now}, kHalfLife, kWeight); }
  Deviation deviation_;
};

TEST_F(DeviationTest, RepeatsCollapseAndAreCounted) {
  EXPECT_EQ(Next(0), AlertState::kNone);
  for (int i = 1; i <= 5; ++i) deviation_.See({i}, 1000);
  EXPECT_EQ(Next(5), AlertState::kOpen);
  EXPECT_EQ(deviation_.opened_at(), KernelTime{1});
  EXPECT_EQ(deviation_.count(), 5U);
  deviation_.See({6}, 1000);
  EXPECT_EQ(Next(6), AlertState::kNone);
  EXPECT_EQ(deviation_.count(), 6U);
}

TEST_F(DeviationTest, WorseIsTwiceWhatWasLastTold) {
  deviation_.See({1}, 1500);
  EXPECT_EQ(Next(1), AlertState::kOpen);
  deviation_.See({2}, 2999);
  EXPECT_EQ(Next(2), AlertState::kNone);
  deviation_.See({3}, 3000);
  EXPECT_EQ(Next(3), AlertState::kUpdated);
  deviation_.See({4}, 3000);
  EXPECT_EQ(Next(4), AlertState::kNone);
}

TEST_F(DeviationTest, WhatCameAndWentIsToldInTwo) {
  deviation_.See({1}, 1000);
  deviation_.SetNormal();
  EXPECT_EQ(Next(2), AlertState::kOpen);
  EXPECT_EQ(Next(3), AlertState::kCleared);
  EXPECT_EQ(Next(4), AlertState::kNone);
}

TEST_F(DeviationTest, SeenAgainItDoesNotClear) {
  deviation_.See({1}, 1000);
  EXPECT_EQ(Next(1), AlertState::kOpen);
  deviation_.SetNormal();
  deviation_.See({2}, 1000);
  EXPECT_EQ(Next(2), AlertState::kNone);
  EXPECT_TRUE(deviation_.open());
}

TEST_F(DeviationTest, NormalBeforeItOpensDoesNotClearItLater) {
  deviation_.SetNormal();
  deviation_.See({1}, 1000);
  EXPECT_EQ(Next(1), AlertState::kOpen);
  EXPECT_EQ(Next(2), AlertState::kNone);
}

TEST_F(DeviationTest, OpenItEarnsInFullAndClearedItDecays) {
  deviation_.See({1}, 2000);
  EXPECT_EQ(Next(1), AlertState::kOpen);
  EXPECT_EQ(Millipoints(10'000), 20'000);
  deviation_.SetNormal();
  EXPECT_EQ(Next(10'000), AlertState::kCleared);
  EXPECT_EQ(Millipoints(10'000), 20'000);
  EXPECT_EQ(Millipoints(10'000 + kHalfLife), 10'000);
  // Back by less than what is left of the last time: it counts once, as the larger.
  deviation_.See({10'001}, 1000);
  EXPECT_GT(Millipoints(10'001), 19'000);
  EXPECT_EQ(Millipoints(10'000 + 2 * kHalfLife), 10'000);
}

}  // namespace
}  // namespace kvmsentry
