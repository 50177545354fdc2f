#include "sensor/source/changed_counts.h"

#include "gtest/gtest.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

class ChangedCountsTest : public ::testing::Test {
 protected:
  bool Changed(uint64_t vm, const char* feature, uint64_t count) {
    return counts_.Of({vm}).Changed(FeatureNamed(feature), count);
  }
  ChangedCounts counts_;
};

TEST_F(ChangedCountsTest, TheFirstCountAndEachOtherValueAreChanges) {
  EXPECT_TRUE(Changed(1, "pio.rate", 0)) << "the first, even of nothing";
  EXPECT_FALSE(Changed(1, "pio.rate", 0));
  EXPECT_TRUE(Changed(1, "pio.rate", 5));
  EXPECT_FALSE(Changed(1, "pio.rate", 5));
  EXPECT_TRUE(Changed(1, "pio.rate", 4)) << "tampering shows, too";
}

TEST_F(ChangedCountsTest, EachVmAndFeatureHasItsOwn) {
  EXPECT_TRUE(Changed(1, "pio.rate", 5));
  EXPECT_TRUE(Changed(1, "mmio.rate", 5));
  EXPECT_TRUE(Changed(2, "pio.rate", 5));
  EXPECT_FALSE(Changed(1, "pio.rate", 5));
}

TEST_F(ChangedCountsTest, WhatWasForgottenIsAFirstCountAgain) {
  for (const uint64_t vm : {1U, 2U}) Changed(vm, "pio.rate", 5);
  counts_.Forget({1});
  EXPECT_TRUE(Changed(1, "pio.rate", 5));
  EXPECT_FALSE(Changed(2, "pio.rate", 5));
  counts_.ForgetAll();
  EXPECT_TRUE(Changed(2, "pio.rate", 5));
}

}  // namespace
}  // namespace kvmsentry
