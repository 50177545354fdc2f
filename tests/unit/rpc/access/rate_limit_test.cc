#include "sensor/rpc/access/rate_limit.h"

#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

int TakenAt(RateLimit& limit, const std::string& caller, KernelTime now) {
  int taken = 0;
  while (taken < 10'000 && limit.Take(caller, now)) ++taken;
  return taken;
}

TEST(RateLimit, SomeAtOnceThenAsFastAsItIsFilled) {
  RateLimit limit(10, 20);
  const KernelTime start{5 * kNsPerSecond};
  EXPECT_EQ(TakenAt(limit, "a", start), 20);
  EXPECT_EQ(TakenAt(limit, "a", start + 100 * kNsPerMs), 1);
  EXPECT_EQ(TakenAt(limit, "a", start + kNsPerSecond), 9);
  EXPECT_EQ(TakenAt(limit, "a", start + 100 * kNsPerSecond), 20) << "no more than a burst is saved";
}

TEST(RateLimit, EachCallerHasItsOwn) {
  RateLimit limit(1, 2);
  EXPECT_EQ(TakenAt(limit, "a", {}), 2);
  EXPECT_EQ(TakenAt(limit, "b", {}), 2);
}

TEST(RateLimit, TimeThatSeemsToGoBackGivesNothing) {
  RateLimit limit(10, 20);
  EXPECT_EQ(TakenAt(limit, "a", {kNsPerSecond}), 20);
  EXPECT_EQ(TakenAt(limit, "a", {0}), 0);
  EXPECT_EQ(TakenAt(limit, "a", {kNsPerSecond}), 0);
}

TEST(RateLimit, WhatIsGivenBackCanBeTakenAgainAndNoMore) {
  RateLimit limit(0.1, 3);
  EXPECT_EQ(TakenAt(limit, "a", {}), 3);
  limit.Give("a");
  EXPECT_EQ(TakenAt(limit, "a", {}), 1);
  for (int i = 0; i < 9; ++i) limit.Give("a");
  EXPECT_EQ(TakenAt(limit, "a", {}), 3);
  limit.Give("nobody");
}

TEST(RateLimit, ZeroIsNoLimit) {
  RateLimit limit(0, 1);
  EXPECT_EQ(TakenAt(limit, "a", {}), 10'000);
}

TEST(RateLimit, ManyCallersShareABucketUntilOthersRest) {
  RateLimit limit(1, 2);
  for (size_t i = 0; i < RateLimit::kMaxCallers; ++i) {
    EXPECT_TRUE(limit.Take(std::to_string(i), {kNsPerSecond}));
  }
  EXPECT_EQ(TakenAt(limit, "late", {kNsPerSecond}), 1) << "the shared one began empty at 0";
  EXPECT_EQ(TakenAt(limit, "later", {kNsPerSecond}), 0);
  EXPECT_EQ(TakenAt(limit, "0", {kNsPerSecond}), 1) << "who was there before has its own";
  EXPECT_EQ(TakenAt(limit, "later", {100 * kNsPerSecond}), 2);
}

}  // namespace
}  // namespace kvmsentry
