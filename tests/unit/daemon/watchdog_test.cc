#include "sensor/daemon/watchdog.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

constexpr WatchdogLimits kLimits = {.stalled_ns = 4 * kNsPerSecond, .fatal_ns = 10 * kNsPerSecond};

constexpr KernelTime At(int64_t second) { return {second * kNsPerSecond}; }

// A loop that ticked last at a second, and what it does since another one.
Pulse::State Ticked(int64_t second, const char* step = "", int64_t since = 0) {
  return {.tick = At(second), .tick_wall = {}, .step = step, .step_since = At(since)};
}

TEST(StallWatch, ALoopThatTicksServes) {
  StallWatch watch(kLimits);
  for (int64_t second = 1; second < 100; ++second) {
    const auto verdict = watch.Look(Ticked(second - 1), At(second));
    EXPECT_TRUE(verdict.serving);
    EXPECT_EQ(verdict.fatal, "");
  }
}

TEST(StallWatch, ALoopThatStandsStillDoesNotServeAndIsEndedWithWhatItDoes) {
  StallWatch watch(kLimits);
  for (int64_t second = 11; second <= 20; ++second) {
    const auto verdict = watch.Look(Ticked(10, "reading counters", 10), At(second));
    EXPECT_EQ(verdict.serving, second < 15) << second;
    EXPECT_EQ(verdict.fatal, "") << second;
  }
  EXPECT_EQ(watch.Look(Ticked(10, "reading counters", 10), At(21)).fatal,
            "the loop has not ticked for 10 s; in: reading counters, for 11 s");
}

TEST(StallWatch, ALoopThatGoesOnServesAgain) {
  StallWatch watch(kLimits);
  for (int64_t second = 11; second <= 16; ++second) watch.Look(Ticked(10), At(second));
  EXPECT_FALSE(watch.Look(Ticked(10), At(17)).serving);
  EXPECT_TRUE(watch.Look(Ticked(17), At(18)).serving);
}

// By SIGSTOP, a debugger or a host that slept: then nobody had a chance to tick.
TEST(StallWatch, WhatAWholeProcessWasStoppedDoesNotCount) {
  StallWatch watch(kLimits);
  watch.Look(Ticked(10), At(11));
  const auto verdict = watch.Look(Ticked(10), At(1000));
  EXPECT_TRUE(verdict.serving);
  EXPECT_EQ(verdict.fatal, "");
}

TEST(StallWatch, WithoutALimitNothingEnds) {
  StallWatch watch({.stalled_ns = 4 * kNsPerSecond, .fatal_ns = 0});
  for (int64_t second = 11; second < 1000; ++second) {
    EXPECT_EQ(watch.Look(Ticked(10), At(second)).fatal, "");
  }
}

TEST(WatchdogLimits, ALongTickIsNoStall) {
  const WatchdogLimits fast = WatchdogLimits::For(60 * kNsPerSecond, 100 * kNsPerMs);
  EXPECT_EQ(fast.stalled_ns, 10 * kNsPerSecond);
  EXPECT_EQ(fast.fatal_ns, 60 * kNsPerSecond);
  EXPECT_EQ(WatchdogLimits::For(10 * kNsPerSecond, kNsPerSecond).stalled_ns, 5 * kNsPerSecond);
  EXPECT_EQ(WatchdogLimits::For(0, kNsPerSecond).stalled_ns, 10 * kNsPerSecond);
  EXPECT_EQ(WatchdogLimits::For(0, kNsPerSecond).fatal_ns, 0);
}

TEST(Pulse, AStepEndsInTheOneAroundIt) {
  Pulse pulse;
  {
    const Pulse::Step outer(pulse, SystemClock(), "outer");
    {
      const Pulse::Step inner(pulse, SystemClock(), "inner");
      EXPECT_STREQ(pulse.Get().step, "inner");
    }
    EXPECT_STREQ(pulse.Get().step, "outer");
  }
  EXPECT_STREQ(pulse.Get().step, "");
  EXPECT_EQ(pulse.Get().tick, KernelTime{});
  pulse.Tick(SystemClock());
  EXPECT_GT(pulse.Get().tick, KernelTime{});
}

// The thread: it tells of a loop that hangs for real, in this test's own thread.
TEST(Watchdog, TellsOfALoopThatHangsAndThatItGoesOn) {
  Pulse pulse;
  pulse.Tick(SystemClock());
  std::mutex mutex;
  std::condition_variable told;
  std::vector<bool> serving;
  std::string why;
  const Watchdog watchdog({.stalled_ns = 40 * kNsPerMs, .fatal_ns = 80 * kNsPerMs}, pulse,
                          SystemClock(),
                          {.serve =
                               [&](bool serves) {
                                 const std::lock_guard lock(mutex);
                                 serving.push_back(serves);
                                 told.notify_all();
                               },
                           .end =
                               [&](const std::string& reason) {
                                 const std::lock_guard lock(mutex);
                                 why = reason;
                                 told.notify_all();
                               }});
  std::unique_lock lock(mutex);
  {
    const Pulse::Step step(pulse, SystemClock(), "hanging");
    told.wait(lock, [&] { return !why.empty(); });
  }
  EXPECT_THAT(why, HasSubstr("in: hanging"));
  EXPECT_EQ(serving, std::vector<bool>{false});
  told.wait(lock, [&] {
    pulse.Tick(SystemClock());
    return serving.size() >= 2;
  });
  EXPECT_TRUE(serving[1]);
}

}  // namespace
}  // namespace kvmsentry
