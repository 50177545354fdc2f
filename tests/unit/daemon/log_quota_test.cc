#include "sensor/daemon/log_quota.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr KernelTime At(int64_t ms) { return {ms * kNsPerMs}; }

uint64_t Admitted(LogQuota& quota, uint64_t lines, KernelTime now) {
  uint64_t admitted = 0;
  for (uint64_t i = 0; i < lines; ++i) admitted += quota.Admit(now) ? 1U : 0U;
  return admitted;
}

TEST(LogQuota, AFewLinesAreAllLogged) {
  LogQuota quota;
  for (int64_t second = 10; second < 20; ++second) {
    EXPECT_EQ(Admitted(quota, LogQuota::kLines, At(second * 1000)), LogQuota::kLines);
    EXPECT_EQ(quota.TakeLeftOut(At(second * 1000 + 999)), 0U);
  }
}

TEST(LogQuota, OfAStormTheFirstAreLoggedAndTheOthersCounted) {
  LogQuota quota;
  EXPECT_EQ(Admitted(quota, 500, At(10'000)), LogQuota::kLines);
  EXPECT_EQ(Admitted(quota, 500, At(10'900)), 0U);
  EXPECT_EQ(quota.TakeLeftOut(At(10'900)), 0U);
  EXPECT_EQ(quota.TakeLeftOut(At(11'000)), 1000 - LogQuota::kLines);
  EXPECT_EQ(quota.TakeLeftOut(At(11'100)), 0U);
  EXPECT_EQ(Admitted(quota, 1, At(11'100)), 1U);
}

// However seldom it ticks.
TEST(LogQuota, NoneIsForgottenBeforeItIsTaken) {
  LogQuota quota;
  Admitted(quota, LogQuota::kLines + 3, At(10'000));
  Admitted(quota, 2, At(30'000));
  EXPECT_EQ(quota.TakeLeftOut(At(30'000)), 5U);
}

}  // namespace
}  // namespace kvmsentry
