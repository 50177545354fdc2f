#include "sensor/alert/silence.h"

#include <gtest/gtest.h>

#include "sensor/alert/filter.h"

namespace kvmsentry {
namespace {

AlertEvent Event(const std::string& vm, const std::string& spec,
                 Severity severity = Severity::kWarning) {
  AlertEvent event;
  event.vm = {.id = {vm.empty() ? 0U : 4U},
              .name = vm,
              .uuid = vm.empty() ? "" : "1f0c",
              .vmm = "",
              .cgroup = "",
              .given_name = vm};
  event.spec_id = spec;
  event.severity = severity;
  event.point = Point::kK2;
  return event;
}

TEST(SilenceMatch, AllThatIsSetMustMatch) {
  const SilenceMatch match{.vm = "web-*", .spec = "pio-*", .point = Point::kK2};
  EXPECT_TRUE(match.Matches(Event("web-1", "pio-storm")));
  EXPECT_FALSE(match.Matches(Event("db", "pio-storm")));
  EXPECT_FALSE(match.Matches(Event("web-1", "msr-storm")));
  AlertEvent other_point = Event("web-1", "pio-storm");
  other_point.point = Point::kR1;
  EXPECT_FALSE(match.Matches(other_point));
  EXPECT_TRUE(SilenceMatch{.vm = "1f0c"}.Matches(Event("web-1", "x"))) << "the uuid";
  EXPECT_TRUE(SilenceMatch{.spec = "score-band"}.Matches(Event("web-1", "score-band")));
}

TEST(SilenceMatch, WhatBecomesWorseIsHeard) {
  const SilenceMatch match{.vm = "*", .max_severity = Severity::kWarning};
  EXPECT_TRUE(match.Matches(Event("a", "s", Severity::kInfo)));
  EXPECT_TRUE(match.Matches(Event("a", "s", Severity::kWarning)));
  EXPECT_FALSE(match.Matches(Event("a", "s", Severity::kCritical)));
}

TEST(SilenceMatch, NoPatternHidesThatTheSensorIsBlind) {
  const AlertEvent blind = Event("", "self-pins");
  EXPECT_FALSE((SilenceMatch{.vm = "*", .spec = "*"}.Matches(blind)));
  EXPECT_FALSE(SilenceMatch{.spec = "*"}.Matches(blind));
  EXPECT_FALSE(SilenceMatch{.spec = "self-*"}.Matches(blind));
  EXPECT_FALSE(SilenceMatch{.point = Point::kK2}.Matches(blind));
  EXPECT_FALSE((SilenceMatch{.vm = "*", .spec = "self-pins"}.Matches(blind)));
  EXPECT_TRUE(SilenceMatch{.spec = "self-pins"}.Matches(blind));
}

const absl::Time kNoon = absl::UnixEpoch() + absl::Hours(12);
constexpr KernelTime kBoot{1'000 * kNsPerSecond};

// Of an hour from noon.
Silence AnHour() {
  return {.id = 7,
          .match = {.vm = "a"},
          .created_at = kNoon,
          .ends_at = kNoon + absl::Hours(1),
          .ends_at_latest = kBoot + 3600 * kNsPerSecond};
}

TEST(Silence, EndsByTheWallClock) {
  EXPECT_TRUE(AnHour().IsActive(kNoon, kBoot));
  EXPECT_TRUE(AnHour().IsActive(kNoon + absl::Minutes(59), kBoot));
  EXPECT_FALSE(AnHour().IsActive(kNoon + absl::Hours(1), kBoot));
  EXPECT_TRUE(AnHour().HasEnded(kNoon + absl::Hours(1), kBoot));
}

TEST(Silence, AClockThatIsSetBackProlongsNone) {
  const KernelTime later = kBoot + 3600 * kNsPerSecond;
  EXPECT_FALSE(AnHour().IsActive(kNoon + absl::Minutes(5), later)) << "an hour has passed";
  EXPECT_FALSE(AnHour().IsActive(kNoon - absl::Hours(1), kBoot)) << "it has not begun";
  EXPECT_FALSE(AnHour().HasEnded(kNoon - absl::Hours(1), kBoot)) << "but it may come";
  EXPECT_TRUE(AnHour().IsActive(kNoon - absl::Seconds(5), kBoot)) << "a small step is none";
}

TEST(SilencedBy, TheFirstThatIsActiveAndMatches) {
  Silence other = AnHour();
  other.id = 6;
  other.match.vm = "b";
  Silence ended = AnHour();
  ended.id = 5;
  ended.ends_at = kNoon;
  const Silence all[] = {ended, other, AnHour()};
  EXPECT_EQ(SilencedBy(all, Event("a", "s"), kNoon, kBoot), 7U);
  EXPECT_EQ(SilencedBy(all, Event("c", "s"), kNoon, kBoot), 0U);
}

TEST(AlertFilter, HidesWhatWasAlwaysSilenced) {
  JournaledAlert alert;
  alert.event = Event("a", "s");
  alert.muted = true;
  EXPECT_TRUE(AlertFilter{}.Matches(alert));
  EXPECT_FALSE(AlertFilter{.hide_muted = true}.Matches(alert));
  alert.muted = false;
  alert.silenced_by = 7;
  EXPECT_TRUE(AlertFilter{.hide_muted = true}.Matches(alert));
}

}  // namespace
}  // namespace kvmsentry
