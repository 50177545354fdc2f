#include "sensor/alert/filter.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

AlertEvent Storm() {
  AlertEvent event;
  event.severity = Severity::kWarning;
  event.point = Point::kK2;
  event.spec_id = "pio-storm";
  event.vm.name = "web-1#2";
  event.vm.given_name = "web-1";
  event.vm.uuid = "1f0c";
  return event;
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
      {"all", {{"web-1"}, {Point::kK2}, Severity::kWarning, {"pio-storm"}}, true},
      {"all but one", {{"web-1"}, {Point::kK2}, Severity::kWarning, {"msr-storm"}}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(c.filter.Matches(Storm()), c.passes) << c.what;
}

TEST(AlertFilter, AScoreBandHasNoPoint) {
  AlertEvent band = Storm();
  band.point = Point::kNone;
  EXPECT_FALSE((AlertFilter{.points = {Point::kK2}}).Matches(band));
  EXPECT_TRUE(AlertFilter{}.Matches(band));
}

}  // namespace
}  // namespace kvmsentry
