#include "sensor/daemon/settle.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr KernelTime At(int64_t ms) { return {ms * kNsPerMs}; }

class SettleTest : public ::testing::Test {
 protected:
  Settle settle_{500 * kNsPerMs, 5 * kNsPerSecond};
};

TEST_F(SettleTest, NothingIsDueBeforeSomethingCame) { EXPECT_FALSE(settle_.Take(At(100'000))); }

TEST_F(SettleTest, ABurstIsDueOnceAWhileAfterItsLast) {
  settle_.Note(At(1000));
  settle_.Note(At(1400));
  EXPECT_FALSE(settle_.Take(At(1899))) << "counted from the first";
  EXPECT_TRUE(settle_.Take(At(1900)));
  EXPECT_FALSE(settle_.Take(At(9000)));
  settle_.Note(At(9000));
  EXPECT_TRUE(settle_.Take(At(9500)));
}

TEST_F(SettleTest, OneThatNeverEndsIsDueAllTheSame) {
  for (int64_t ms = 1000; ms < 6000; ms += 100) {
    settle_.Note(At(ms));
    EXPECT_FALSE(settle_.Take(At(ms)));
  }
  settle_.Note(At(6000));
  EXPECT_TRUE(settle_.Take(At(6000)));
}

}  // namespace
}  // namespace kvmsentry
