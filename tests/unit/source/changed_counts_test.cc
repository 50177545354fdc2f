#include "sensor/source/changed_counts.h"

#include "gtest/gtest.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

Observation Count(uint64_t vm, const char* feature, uint64_t value, PartId part = {}) {
  Observation count{.vm = {vm}, .part = part, .feature = FeatureNamed(feature)};
  count.value = value;
  return count;
}

TEST(ChangedCountsTest, TheFirstCountAndEachOtherValueAreChanges) {
  ChangedCounts counts;
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 0))) << "the first, even of nothing";
  EXPECT_FALSE(counts.Changed(Count(1, "pio.rate", 0)));
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 5)));
  EXPECT_FALSE(counts.Changed(Count(1, "pio.rate", 5)));
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 4))) << "tampering shows, too";
}

TEST(ChangedCountsTest, EachVmPartAndFeatureHasItsOwn) {
  ChangedCounts counts;
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 5)));
  EXPECT_TRUE(counts.Changed(Count(1, "mmio.rate", 5)));
  EXPECT_TRUE(counts.Changed(Count(2, "pio.rate", 5)));
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 5, {PartKind::kVcpu, 0})));
  EXPECT_FALSE(counts.Changed(Count(1, "pio.rate", 5)));
}

TEST(ChangedCountsTest, WhatWasForgottenIsAFirstCountAgain) {
  ChangedCounts counts;
  for (const uint64_t vm : {1U, 2U}) counts.Changed(Count(vm, "pio.rate", 5));
  counts.Changed(Count(1, "pio.rate", 5, {PartKind::kVcpu, 0}));
  counts.Forget({1});
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 5)));
  EXPECT_TRUE(counts.Changed(Count(1, "pio.rate", 5, {PartKind::kVcpu, 0})));
  EXPECT_FALSE(counts.Changed(Count(2, "pio.rate", 5)));
  counts.ForgetAll();
  EXPECT_TRUE(counts.Changed(Count(2, "pio.rate", 5)));
}

}  // namespace
}  // namespace kvmsentry
