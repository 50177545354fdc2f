#include "sensor/source/resource/latency.h"

#include <array>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using Buckets = std::array<uint64_t, 32>;

TEST(LatencyOfTest, IsZeroWithoutRequests) {
  Buckets both = {};
  both[10] = 7;
  EXPECT_EQ(LatencyOf(both, both, 99), 0U);
}

TEST(LatencyOfTest, LiesWithinTheBucketOfItsRequest) {
  const Buckets before = {};
  Buckets now = {};
  now[5] = 99;  // 32 to 64 us
  now[15] = 1;  // 32 to 65 ms
  EXPECT_GE(LatencyOf(before, now, 50), 32U);
  EXPECT_LE(LatencyOf(before, now, 50), 64U);
  EXPECT_LE(LatencyOf(before, now, 99), 64U);
  EXPECT_GE(LatencyOf(before, now, 100), 32'768U);
}

TEST(LatencyOfTest, OnlyWhatWasAddedCounts) {
  Buckets before = {}, now = {};
  before[20] = now[20] = 1000;
  now[3] = 10;
  EXPECT_LE(LatencyOf(before, now, 99), 16U);
}

TEST(LatencyOfTest, OneSlowRequestAloneIsThePercentile) {
  const Buckets before = {};
  Buckets now = {};
  now[19] = 1;  // half a second
  EXPECT_GE(LatencyOf(before, now, 99), 524'288U);
}

TEST(SlowTimeOfTest, AddsUpWhatWasAddedOfSlowOnes) {
  Buckets before = {}, now = {};
  before[20] = now[20] = 1000;
  now[3] = 10;
  now[19] = 1;
  now[14] = 2;
  EXPECT_EQ(SlowTimeOf(before, now), 2 * 16'384U + 524'288U);
}

}  // namespace
}  // namespace kvmsentry
