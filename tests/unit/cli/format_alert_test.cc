#include "sensor/cli/format_alert.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "sensor/base/wrap.h"
#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

constexpr char kStorm[] = R"pb(
  severity: WARNING
  vm { name: "web-1" }
  spec_id: "pio-storm"
  at { seconds: 86400 nanos: 500000000 }
  summary: "VM \"web-1\": 28,340 port accesses/s, limit 20,000/s over 1s; last port 0x3f8 (com1)"
  why: "It may be an attack."
  look_at: "the device"
  evidence { key: "last_port" value: "0x3f8" }
  evidence { key: "a" value: "b" })pb";

std::string Line(const std::string& text, size_t width = 80) {
  return FormatAlert(FromText<v1::Alert>(text), {}, PlainLook(width));
}

TEST(FormatAlert, IsALineAndTheSummaryBelowWhereItDoesNotFit) {
  EXPECT_EQ(Line(absl::StrCat(kStorm, "state: OPEN")),
            "00:00:00 + WARNING   web-1           pio-storm\n"
            "    28,340 port accesses/s, limit 20,000/s over 1s; last port 0x3f8 (com1)\n");
  EXPECT_EQ(Line(absl::StrCat(kStorm, "state: UPDATED"), 110),
            "00:00:00 ~ WARNING   web-1           pio-storm\n"
            "    28,340 port accesses/s, limit 20,000/s over 1s; last port 0x3f8 (com1)\n");
  EXPECT_EQ(Line(absl::StrCat(kStorm, "state: OPEN"), 48),
            "00:00:00 + WARNING   web-1           pio-storm\n"
            "    28,340 port accesses/s, limit 20,000/s over\n"
            "    1s; last port 0x3f8 (com1)\n");
  EXPECT_EQ(Line(absl::StrCat(kStorm, "state: CLEARED observation_lost: true"), kAnyWidth),
            "00:00:00 - WARNING   web-1           pio-storm         28,340 port accesses/s, limit "
            "20,000/s over 1s; last port 0x3f8 (com1) (something was lost: values may be too "
            "low)\n");
}

TEST(FormatAlert, NamesThePartAndTheDateOfAnotherDay) {
  EXPECT_EQ(Line(R"(severity: INFO state: OPEN vm { name: "a" } part: "vcpu-3" spec_id: "s"
                    at { seconds: 60 } summary: "VM \"a\" exited; the alert lasted 4.4 s")"),
            "01-01 00:01 + INFO      a/vcpu-3        s\n"
            "    exited; the alert lasted 4.4 s\n");
  EXPECT_EQ(Line("severity: CRITICAL state: OPEN spec_id: 'self-ring' at { seconds: 86400 }"),
            "00:00:00 + CRITICAL  (sensor)        self-ring         \n");
}

TEST(FormatAlert, WhatIsSilencedIsMarkedAndDim) {
  const std::string alert = absl::StrCat(kStorm, "state: OPEN silenced_by: 7");
  EXPECT_EQ(Line(alert),
            "00:00:00 + WARNING   web-1           pio-storm\n"
            "    [s7] 28,340 port accesses/s, limit 20,000/s over 1s; last port 0x3f8 (com1)\n");
  Look look = PlainLook();
  look.style = Style(true);
  const std::string colored = FormatAlert(FromText<v1::Alert>(alert), {}, look);
  EXPECT_NE(colored.find("\x1b[2mWARNING\x1b[0m"), std::string::npos) << colored;
}

TEST(FormatAlert, InFullSaysWhyAndWhereToLookAndFits) {
  EXPECT_EQ(
      FormatAlertInFull(FromText<v1::Alert>(absl::StrCat(kStorm, "state: OPEN")), PlainLook()),
      "1970-01-02 00:00:00.500 + WARNING   web-1  pio-storm\n"
      "    what:     28,340 port accesses/s, limit 20,000/s over 1s; last port 0x3f8\n"
      "              (com1)\n"
      "    why:      It may be an attack.\n"
      "    look at:  the device\n"
      "    seen:     a b, last_port 0x3f8\n");
}

TEST(FormatAlert, TheColumnsAreAsWideAsTheAlertsNeedAndLeaveRoomForTheSummary) {
  const std::vector<v1::Alert> alerts = {
      FromText<v1::Alert>("vm { name: 'a' } spec_id: 'pio-storm' at { seconds: 86400 }"),
      FromText<v1::Alert>(
          "vm { name: 'a-rather-long-name-of-a-vm' } spec_id: 'a-long-spec-id-indeed'"
          "severity: INFO summary: 'what there is to say' at { seconds: 0 }")};
  const AlertColumns columns = ColumnsFor(alerts, PlainLook());
  EXPECT_EQ(columns.time, 11U);
  EXPECT_EQ(columns.vm, 13U);
  EXPECT_EQ(columns.spec, 16U);
  // One that is longer than its column moves what follows, and is not cut: it tells rows apart.
  EXPECT_EQ(FormatAlert(alerts[1], columns, PlainLook()),
            "01-01 00:00 ~ INFO      a-rather-long-name-of-a-vm  a-long-spec-id-indeed\n"
            "    what there is to say\n");
  EXPECT_EQ(ColumnsFor(alerts, PlainLook(kAnyWidth)).vm, 26U);
}

TEST(FormatAlert, WhoDidItHasALineOfItsOwn) {
  const std::string text = FormatAlertInFull(
      FromText<v1::Alert>(R"pb(state: OPEN
                               summary: "s"
                               evidence { key: "by" value: "sh (pid 1, uid 0)" })pb"),
      PlainLook());
  EXPECT_NE(text.find("by:       sh (pid 1, uid 0)\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("seen:"), std::string::npos) << text;
}

TEST(FormatAlert, NothingInItCanCommandATerminal) {
  const std::string hostile =
      R"(state: OPEN vm { name: "\033[2J\n" } spec_id: "\007" summary: "\033]0;x" why: "\n"
         look_at: "\r" evidence { key: "\033" value: "\302\233" })";
  for (const std::string& text :
       {Line(hostile), FormatAlertInFull(FromText<v1::Alert>(hostile), PlainLook())}) {
    for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
  }
  EXPECT_EQ(std::ranges::count(Line(hostile), '\n'), 1);
}

std::string TextOfOpen(const std::vector<std::string>& texts) {
  std::vector<v1::Alert> alerts;
  for (const std::string& text : texts) alerts.push_back(FromText<v1::Alert>(text));
  return ToText(CountOpen(alerts));
}

TEST(CountOpen, TellsSeveritiesWhoseTheyAreAndWhatCountsForNothing) {
  EXPECT_EQ(TextOfOpen({}), "none open");
  EXPECT_EQ(TextOfOpen({"severity: INFO vm {}", "severity: CRITICAL vm {}",
                        "severity: CRITICAL vm {} silenced_by: 3"}),
            "2 open: 1 CRITICAL, 1 INFO; 1 silenced");
  EXPECT_EQ(TextOfOpen({"severity: WARNING", "severity: INFO vm {} observe_only: true"}),
            "1 open: 1 WARNING (1 of the sensor itself); 1 observed only");
}

TEST(FormatGap, SaysInWordsWhatIsMissing) {
  const auto format = [](const std::string& text) {
    return FormatGap(FromText<v1::Gap>(text), Style(false));
  };
  EXPECT_EQ(format("from { epoch: 9 sequence: 2 } to { epoch: 9 sequence: 5 } "
                   "reason: SLOW_SUBSCRIBER"),
            "-- gap: 4 alerts are missing (9:2 to 9:5): this client did not read fast enough\n");
  EXPECT_EQ(format("from { epoch: 9 sequence: 2 } to { epoch: 9 sequence: 2 } "
                   "reason: NO_LONGER_KEPT"),
            "-- gap: 1 alert is missing (9:2): no longer kept\n");
  EXPECT_EQ(format("from { epoch: 8 sequence: 2 } to { epoch: 9 } reason: EPOCH_CHANGED"),
            "-- gap: the stream has started again since 8:2: what came after that in the earlier "
            "run is missing; continuing with the oldest that is kept\n");
  EXPECT_EQ(format("from { epoch: 9 sequence: 3 } to { epoch: 9 sequence: 7 } "
                   "reason: NOT_YET_WRITTEN"),
            "-- gap: position 9:7 is ahead of the stream, so it is not of this sensor; continuing "
            "with the oldest that is kept\n");
}

}  // namespace
}  // namespace kvmsentry
