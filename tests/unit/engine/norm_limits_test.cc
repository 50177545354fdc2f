#include "sensor/engine/norm_limits.h"

#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

const auto kPio = FeatureNamed("pio.rate");

TEST(NormLimitsTest, ARangeIsWholeOccurrencesAWindow) {
  const NormLimits limits = LimitsOf(MaxSpec("a", kPio, 20'000, 2 * kNsPerSecond));
  EXPECT_EQ(limits.most, 40'000U);
  EXPECT_EQ(limits.clear_most, 32'000U);
  EXPECT_FALSE(limits.least);
}

TEST(NormLimitsTest, FloatingPointDoesNotTightenANorm) {
  EXPECT_EQ(LimitsOf(MaxSpec("a", kPio, 0.29, 100 * kNsPerSecond)).most, 29U);
  EXPECT_EQ(LimitsOf(MinSpec("a", kPio, 1.1, 10 * kNsPerSecond)).least, 11U);
  EXPECT_EQ(LimitsOf(MinSpec("a", kPio, 0.25, 10 * kNsPerSecond)).least, 3U);
}

TEST(NormLimitsTest, ExtremesAreBounded) {
  EXPECT_EQ(LimitsOf(MaxSpec("a", kPio, 1e300, kNsPerSecond)).most,
            uint64_t{1'000'000'000'000'000'000});
  EXPECT_EQ(LimitsOf(MaxSpec("a", kPio, 0, kNsPerSecond)).most, 0U);
}

TEST(NormLimitsTest, QuietTimes) {
  EXPECT_EQ(QuietTime(MaxSpec("a", kPio, 1, 5 * kNsPerSecond)), 5 * kNsPerSecond);
  EXPECT_EQ(QuietTime(BurstSpec("a", kPio, 1, 10 * kNsPerMs)), 2 * kNsPerSecond);
  EXPECT_EQ(QuietTime(BurstSpec("a", kPio, 1, kNsPerSecond)), 10 * kNsPerSecond);
  EXPECT_EQ(QuietTime(DenySpec("a", FeatureNamed("pio.port"), {}, 10 * kNsPerMs)), kNsPerSecond);
  EXPECT_EQ(QuietTime(DenySpec("a", FeatureNamed("pio.port"), {}, 10 * kNsPerSecond)),
            10 * kNsPerSecond);
}

}  // namespace
}  // namespace kvmsentry
