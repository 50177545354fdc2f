#include "sensor/base/natural.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(NaturalLess, NumbersCompareAsNumbers) {
  const std::vector<std::string> ordered = {"",     "9",      "10",      "18446744073709551616",
                                            "a",    "vm",     "vm1",     "vm2",
                                            "vm10", "vm10-a", "vm10-b2", "vm10-b10",
                                            "vm11", "vmx"};
  std::vector<std::string> sorted(ordered.rbegin(), ordered.rend());
  std::ranges::sort(sorted, NaturalLess);
  EXPECT_EQ(sorted, ordered);
}

TEST(NaturalLess, IsAStrictOrderAlsoWithLeadingZeros) {
  EXPECT_TRUE(NaturalLess("vm01", "vm1") != NaturalLess("vm1", "vm01"));
  EXPECT_FALSE(NaturalLess("vm1", "vm1"));
  EXPECT_TRUE(NaturalLess("vm01", "vm2"));
  EXPECT_TRUE(NaturalLess("vm1", "vm02"));
  EXPECT_TRUE(NaturalLess("a", "\xc3\xa4"));  // bytes, not signed characters
}

}  // namespace
}  // namespace kvmsentry
