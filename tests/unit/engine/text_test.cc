#include "sensor/engine/text.h"

#include <gtest/gtest.h>

#include "sensor/base/time.h"

namespace kvmsentry {
namespace {

TEST(TextTest, DurationsAreAsLongAsTheyNeedToBe) {
  EXPECT_EQ(DurationText(-1), "0ms");
  EXPECT_EQ(DurationText(10 * kNsPerMs), "10ms");
  EXPECT_EQ(DurationText(1000 * kNsPerMs), "1s");
  EXPECT_EQ(DurationText(1540 * kNsPerMs), "1.5s");
  EXPECT_EQ(DurationText(59'999 * kNsPerMs), "59.9s");
  EXPECT_EQ(DurationText(60 * kNsPerSecond), "1m");
  EXPECT_EQ(DurationText(125 * kNsPerSecond), "2m5s");
  EXPECT_EQ(DurationText(11'520 * kNsPerSecond), "3h12m");
}

TEST(TextTest, RatesArePerSecondWhateverTheWindow) {
  EXPECT_EQ(PerSecond(28'340, kNsPerSecond), "28,340");
  EXPECT_EQ(PerSecond(125, 10 * kNsPerSecond), "12.5");
  EXPECT_EQ(PerSecond(1, 60 * kNsPerSecond), "0.01");
  EXPECT_EQ(PerSecond(100, 10 * kNsPerMs), "10,000");
  EXPECT_EQ(PerSecond(UINT64_MAX, kNsPerSecond / 2), "184,467,440,737,095,516");
}

TEST(TextTest, PointsKeepTheirThousandths) {
  EXPECT_EQ(PointsText(42'510), "42.51");
  EXPECT_EQ(PointsText(30'000), "30");
  EXPECT_EQ(PointsText(7), "0.007");
}

}  // namespace
}  // namespace kvmsentry
