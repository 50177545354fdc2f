#include "sensor/engine/count_window.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using Added = CountWindow::Added;

KernelTime Ms(int64_t ms) { return {ms * kNsPerMs}; }

TEST(CountWindowTest, OneSampleSaysNothing) {
  CountWindow window(kNsPerSecond);
  EXPECT_EQ(window.Add(Ms(0), 1'000'000), Added::kRestarted);
  EXPECT_EQ(window.Busiest(), 0U);
  EXPECT_FALSE(window.LatestFull());
}

TEST(CountWindowTest, CountsFromTheOldestSampleWithinTheWindow) {
  CountWindow window(kNsPerSecond);
  for (int i = 0; i <= 30; ++i) window.Add(Ms(100 * i), static_cast<uint64_t>(100 * i));
  EXPECT_EQ(window.Busiest(), 1000U);
  ASSERT_TRUE(window.LatestFull());
  EXPECT_EQ(window.LatestFull()->average, 1000U);
  EXPECT_EQ(window.LatestFull()->quietest, 1000U);
}

TEST(CountWindowTest, ACountThatGoesBackRestarts) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 5000);
  window.Add(Ms(1000), 6000);
  EXPECT_EQ(window.Add(Ms(1100), 10), Added::kRestarted);
  EXPECT_EQ(window.Busiest(), 0U);
  EXPECT_FALSE(window.LatestFull());
}

TEST(CountWindowTest, AnOlderSampleSaysNothingNew) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 100);
  window.Add(Ms(500), 300);
  EXPECT_EQ(window.Add(Ms(400), 200), Added::kStale);
  EXPECT_EQ(window.Add(Ms(400), 900), Added::kStale);
  EXPECT_EQ(window.Busiest(), 200U);
}

// Two bursts of 10 at the ends of 1.5 windows average 13 a window, and no window holds 11.
TEST(CountWindowTest, AGapLongerThanTheWindowIsSpreadOverWholeWindows) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 0);
  window.Add(Ms(1500), 20);
  EXPECT_EQ(window.Busiest(), 10U);
  window.Add(Ms(1600), 21);
  EXPECT_EQ(window.Busiest(), 11U) << "21 in two windows: one held at least 11";
  ASSERT_TRUE(window.LatestFull());
  EXPECT_EQ(window.LatestFull()->quietest, 21U) << "one whole window held at most all of them";
}

TEST(CountWindowTest, AverageRoundsBothWays) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 0);
  window.Add(Ms(3000), 10);
  EXPECT_EQ(window.LatestFull()->average, 3U);
  EXPECT_EQ(window.LatestFull()->average_ceil, 4U);
  EXPECT_EQ(window.LatestFull()->quietest, 3U);
}

TEST(CountWindowTest, TheLargestCountsDoNotOverflow) {
  CountWindow window(3600 * kNsPerSecond);
  window.Add(Ms(0), 0);
  window.Add(Ms(3'600'000), UINT64_MAX);
  EXPECT_EQ(window.Busiest(), UINT64_MAX);
  EXPECT_EQ(window.LatestFull()->average, UINT64_MAX);
}

TEST(CountWindowTest, DenseSamplesStillSpanALongWindow) {
  CountWindow window(60 * kNsPerSecond);
  uint64_t count = 0;
  for (int i = 0; i <= 2000; ++i) window.Add(Ms(100 * i), count += 10);
  // In steps of a 28th, seen through ticks of 100 ms.
  EXPECT_LE(window.Busiest(), 6000U);
  EXPECT_GE(window.Busiest(), 6000U - 6000U / 28 - 10);
  ASSERT_TRUE(window.LatestFull());
  EXPECT_EQ(window.LatestFull()->average, 6000U);
}

TEST(CountWindowTest, ACountThatStaysIsKnownAtEveryTime) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 7);
  window.Add(Ms(5000), 7);
  window.Add(Ms(5100), 17);
  EXPECT_EQ(window.Busiest(), 10U);
  ASSERT_TRUE(window.LatestFull());
  EXPECT_EQ(window.LatestFull()->since, Ms(4100)) << "the latest window, as if sampled there";
  EXPECT_EQ(window.LatestFull()->average, 10U);
  EXPECT_EQ(window.LatestFull()->quietest, 10U);
}

TEST(CountWindowTest, ACountThatStaysForLongDoesNotPushOutWhatIsInTheWindow) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 0);
  window.Add(Ms(100), 40);
  for (int i = 2; i <= 10; ++i) window.Add(Ms(100 * i), 40);
  EXPECT_EQ(window.Busiest(), 40U);
  EXPECT_EQ(window.OldestCount(), 0U);
  window.Add(Ms(1200), 40);
  EXPECT_EQ(window.Busiest(), 0U);
}

TEST(CountWindowTest, ALaterCountOfTheSameTimeDoesNotTakeTheEndOfACountThatStayed) {
  CountWindow window(kNsPerSecond);
  window.Add(Ms(0), 7);
  window.Add(Ms(5000), 7);
  window.Add(Ms(5000), 17);
  window.Add(Ms(5100), 27);
  EXPECT_EQ(window.Busiest(), 20U);
}

TEST(CountWindowTest, AnUnchangedCountIsThatCountAtEachTime) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    constexpr int64_t kWindowMs = 1000;
    CountWindow one_by_one(kWindowMs * kNsPerMs);
    int64_t now = 0;
    uint64_t count = 0;
    for (uint64_t i = random() % 40; i > 0; --i) {
      now += static_cast<int64_t>(1 + random() % 200);
      one_by_one.Add(Ms(now), count += random() % 3);
    }
    one_by_one.Add(Ms(++now), count);
    CountWindow at_once = one_by_one;
    std::vector<KernelTime> times;
    for (int64_t end = now + 3 * kWindowMs; now < end;) {
      now += static_cast<int64_t>(1 + random() % 200);
      times.push_back(Ms(now));
      one_by_one.Add(times.back(), count);
      if (random() % 20 == 0) break;
    }
    at_once.AddUnchanged(times, count);
    ASSERT_EQ(at_once.OldestCount(), one_by_one.OldestCount()) << round;
    for (int more = 0; more < 2; ++more) {
      ASSERT_EQ(at_once.Busiest(), one_by_one.Busiest()) << round;
      ASSERT_EQ(at_once.LatestFull().has_value(), one_by_one.LatestFull().has_value()) << round;
      if (at_once.LatestFull()) {
        ASSERT_EQ(at_once.LatestFull()->since, one_by_one.LatestFull()->since) << round;
        ASSERT_EQ(at_once.LatestFull()->average, one_by_one.LatestFull()->average) << round;
      }
      now += 100;
      at_once.Add(Ms(now), count + 5);
      one_by_one.Add(Ms(now), count + 5);
    }
  }
}

// Of a burst all is seen that fell within the window, but for one of its steps and one distance.
TEST(CountWindowTest, MissesNoMoreOfTheLatestWindowThanItSays) {
  std::mt19937_64 random(13);
  constexpr int64_t kWindowMs = 560;
  constexpr int64_t kStepMs = kWindowMs / 28 + 1;
  constexpr int64_t kDistanceMs = 40;
  for (int round = 0; round < 100; ++round) {
    CountWindow window(kWindowMs * kNsPerMs);
    std::vector<uint64_t> cumulative(4001);
    for (size_t ms = 1; ms < cumulative.size(); ++ms) {
      cumulative[ms] = cumulative[ms - 1] + (random() % 200 == 0 ? 50 : 0);
    }
    for (int64_t now = 0; now <= 4000; now += static_cast<int64_t>(1 + random() % kDistanceMs)) {
      window.Add(Ms(now), cumulative[static_cast<size_t>(now)]);
      if (now < kWindowMs) continue;
      const auto since = static_cast<size_t>(now - kWindowMs + kStepMs + kDistanceMs);
      ASSERT_GE(window.Busiest(), cumulative[static_cast<size_t>(now)] - cumulative[since])
          << "round " << round << " at " << now;
    }
  }
}

// Whatever happens, what it says of some window must be true of some window.
TEST(CountWindowTest, NeverClaimsMoreOrLessThanSomeWindowHeld) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto window_ms = static_cast<int64_t>(1 + random() % 40);
    std::vector<uint64_t> per_ms(400);
    for (auto& n : per_ms) n = random() % 4 == 0 ? random() % 20 : 0;
    std::vector<uint64_t> cumulative(per_ms.size() + 1);
    for (size_t i = 0; i < per_ms.size(); ++i) cumulative[i + 1] = cumulative[i] + per_ms[i];
    CountWindow window(window_ms * kNsPerMs);
    int64_t first = -1;
    for (int64_t now = 0; now <= 400; now += static_cast<int64_t>(1 + random() % 30)) {
      if (first < 0) first = now;
      window.Add(Ms(now), cumulative[static_cast<size_t>(now)]);
      uint64_t most = 0;
      uint64_t least = UINT64_MAX;
      for (int64_t end = first; end <= now; ++end) {
        const auto begin = static_cast<size_t>(std::max(first, end - window_ms));
        const uint64_t held = cumulative[static_cast<size_t>(end)] - cumulative[begin];
        most = std::max(most, held);
        if (end - first >= window_ms) least = std::min(least, held);
      }
      ASSERT_LE(window.Busiest(), most) << "window " << window_ms << " now " << now;
      if (const auto full = window.LatestFull()) {
        ASSERT_GE(full->quietest, least) << "window " << window_ms << " now " << now;
      }
    }
  }
}

}  // namespace
}  // namespace kvmsentry
