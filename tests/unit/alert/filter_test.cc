#include "sensor/alert/filter.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

JournaledAlert Storm() {
  JournaledAlert alert;
  AlertEvent& event = alert.event;
  event.severity = alert.reached = Severity::kWarning;
  alert.at = absl::FromUnixSeconds(1000);
  event.summary = "web-1: 9,000/s port accesses";
  event.evidence["last_port"] = "0x3F8";
  event.point = Point::kK2;
  event.spec_id = "pio-storm";
  event.vm.name = "web-1#2";
  event.vm.given_name = "web-1";
  event.vm.uuid = "1f0c";
  return alert;
}

struct Case {
  const char* what;
  AlertFilter filter;
  bool passes;
};

TEST(AlertFilter, LetsPassWhatMatchesEveryFieldThatIsSet) {
  const Case cases[] = {
      {"none set", {}, true},
      {"the name", {.vm = {"web-1#2"}}, true},
      {"the given name", {.vm = {"web-1"}}, true},
      {"the uuid", {.vm = {"1f*"}}, true},
      {"one of the names", {.vm = {"db-*", "web-?"}}, true},
      {"another name", {.vm = {"db-*"}}, false},
      {"the point", {.points = {Point::kK1, Point::kK2}}, true},
      {"another point", {.points = {Point::kK1}}, false},
      {"lower severity", {.min_severity = Severity::kNotice}, true},
      {"the same severity", {.min_severity = Severity::kWarning}, true},
      {"higher severity", {.min_severity = Severity::kCritical}, false},
      {"the spec", {.spec = {"*-storm"}}, true},
      {"another spec", {.spec = {"score-band"}}, false},
      {"from its time on", {.from = absl::FromUnixSeconds(1000)}, true},
      {"from later on", {.from = absl::FromUnixSeconds(1001)}, false},
      {"until its time", {.until = absl::FromUnixSeconds(1000)}, false},
      {"until later", {.until = absl::FromUnixSeconds(1001)}, true},
      {"a text in the summary", {.text = "PORT acc"}, true},
      {"a text in the evidence", {.text = "0x3f8"}, true},
      {"another text", {.text = "msr"}, false},
      {"all", {{"web-1"}, {Point::kK2}, Severity::kWarning, {"pio-storm"}}, true},
      {"all but one", {{"web-1"}, {Point::kK2}, Severity::kWarning, {"msr-storm"}}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(c.filter.Matches(Storm()), c.passes) << c.what;
}

TEST(AlertFilter, AnAlertThatReachedTheSeverityPassesToItsEnd) {
  JournaledAlert cleared = Storm();
  cleared.event.severity = Severity::kInfo;
  EXPECT_TRUE((AlertFilter{.min_severity = Severity::kWarning}).Matches(cleared));
  cleared.reached = Severity::kNotice;
  EXPECT_FALSE((AlertFilter{.min_severity = Severity::kWarning}).Matches(cleared));
}

TEST(AlertFilter, AScoreBandHasNoPoint) {
  JournaledAlert band = Storm();
  band.event.point = Point::kNone;
  EXPECT_FALSE((AlertFilter{.points = {Point::kK2}}).Matches(band));
  EXPECT_TRUE(AlertFilter{}.Matches(band));
}

}  // namespace
}  // namespace kvmsentry
