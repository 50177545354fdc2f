#include "sensor/engine/score.h"

#include <cmath>

#include <gtest/gtest.h>

#include "sensor/engine/score_band.h"

namespace kvmsentry {
namespace {

constexpr int64_t kHalfLife = 60 * kNsPerSecond;

TEST(ScoreTest, EarnsTheWeightTimesABoundedExcess) {
  EXPECT_EQ(Earned(30, 1000), 30'000);
  EXPECT_EQ(Earned(30, 1417), 42'510);
  EXPECT_EQ(Earned(30, 4000), 120'000);
  EXPECT_EQ(Earned(30, 1'000'000'000), 120'000);
  EXPECT_EQ(Earned(30, 0), 30'000);
}

TEST(ScoreTest, HalvesWithEachHalfLife) {
  EXPECT_EQ(Decayed(80'000, 0, kHalfLife), 80'000);
  EXPECT_EQ(Decayed(80'000, kHalfLife, kHalfLife), 40'000);
  EXPECT_EQ(Decayed(80'000, 3 * kHalfLife, kHalfLife), 10'000);
  EXPECT_EQ(Decayed(80'000, 17 * kHalfLife, kHalfLife), 0);
  EXPECT_EQ(Decayed(80'000, INT64_MAX, kHalfLife), 0);
}

TEST(ScoreTest, NothingIsLeftWithoutAHalfLife) {
  EXPECT_EQ(Decayed(80'000, 1, 0), 0);
  EXPECT_EQ(Decayed(80'000, 0, 0), 0);
}

TEST(ScoreTest, FollowsTheExponentialToAStep) {
  int64_t before = 400'000;
  for (int64_t t = 0; t < 4 * kHalfLife; t += kHalfLife / 64) {
    const int64_t left = Decayed(400'000, t, kHalfLife);
    const double exact =
        400'000 * std::exp2(-static_cast<double>(t) / static_cast<double>(kHalfLife));
    EXPECT_NEAR(static_cast<double>(left), exact, 400'000 * 0.011) << t;
    EXPECT_LE(left, before) << t;
    before = left;
  }
}

TEST(ScoreTest, AShortHalfLifeHasNoMoreStepsThanNanoseconds) {
  EXPECT_EQ(Decayed(1000, 2, 2), 500);
  EXPECT_EQ(Decayed(1000, 10, 10), 500);
}

constexpr Bands kBands = {Band{25'000, Severity::kNotice}, Band{50'000, Severity::kWarning},
                          Band{100'000, Severity::kCritical}};

struct Reading {
  int64_t score;
  AlertState state;
  Severity severity;
};

TEST(ScoreBandTest, EntersAtTheBandAndLeavesBelowFourFifths) {
  constexpr Reading kReadings[] = {
      {24'999, AlertState::kNone, Severity::kNone},
      {25'000, AlertState::kOpen, Severity::kNotice},
      {20'000, AlertState::kNone, Severity::kNotice},
      {120'000, AlertState::kUpdated, Severity::kCritical},
      {80'000, AlertState::kNone, Severity::kCritical},
      {79'999, AlertState::kUpdated, Severity::kWarning},
      {40'000, AlertState::kNone, Severity::kWarning},
      {39'999, AlertState::kUpdated, Severity::kNotice},
      {19'999, AlertState::kCleared, Severity::kNotice},
      {19'999, AlertState::kNone, Severity::kNotice},
      {24'000, AlertState::kNone, Severity::kNotice},
      {60'000, AlertState::kOpen, Severity::kWarning},
  };
  ScoreBand band;
  int64_t now = 0;
  for (const Reading& reading : kReadings) {
    EXPECT_EQ(band.Next(kBands, reading.score, {++now}, 0), reading.state) << now;
    EXPECT_EQ(band.band().severity, reading.severity) << now;
  }
}

TEST(ScoreBandTest, SaysAtIntervalsThatItGoesOn) {
  ScoreBand band;
  EXPECT_EQ(band.Next(kBands, 30'000, {0}, 100), AlertState::kOpen);
  EXPECT_EQ(band.Next(kBands, 30'000, {99}, 100), AlertState::kNone);
  EXPECT_EQ(band.Next(kBands, 30'000, {100}, 100), AlertState::kUpdated);
  EXPECT_EQ(band.Next(kBands, 30'000, {199}, 100), AlertState::kNone);
  EXPECT_EQ(band.count(), 4U);
}

TEST(ScoreBandTest, ABandAtZeroDoesNotExist) {
  ScoreBand band;
  const Bands none = {};
  EXPECT_EQ(band.Next(none, 0, {1}, 0), AlertState::kNone);
  EXPECT_EQ(band.Next(none, 1'000'000, {2}, 0), AlertState::kNone);
}

}  // namespace
}  // namespace kvmsentry
