#include "sensor/alert/record.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

JournaledAlert Full() {
  JournaledAlert alert;
  alert.position = {7, 8};
  alert.at = absl::FromUnixNanos(1'000'000'001);
  alert.opened_at = absl::FromUnixNanos(-5);
  alert.reached = Severity::kCritical;
  alert.host = {"node", "machine", "boot", "6.1"};
  AlertEvent& event = alert.event;
  event.key = "k";
  event.state = AlertState::kUpdated;
  event.severity = Severity::kWarning;
  event.point = Point::kR5;
  event.spec_id = "s";
  event.feature = "f";
  event.part = "vcpu-1";
  event.at = {3};
  event.opened_at = {2};
  event.value = 1.5;
  event.limit = -2;
  event.unit = "1/s";
  event.value_text = "v";
  event.norm_text = "n";
  event.window_ns = 4;
  event.occurrences = 5;
  event.count = 6;
  event.score_millipoints = -7;
  event.contribution_millipoints = 8;
  event.summary = std::string("not UTF-8 \xff, a \0 and '); DROP TABLE alerts;--", 45);
  event.why = "w";
  event.look_at = "l";
  event.evidence = {{"a", "\xc3"}, {"b", ""}};
  event.observation_lost = true;
  event.observe_only = true;
  event.tags = {"escape", "vhost"};
  event.mitre = {"T1611"};
  event.vm = {{9}, "web-1#2", "uuid", "qemu", "/c", 4, 77, "web-1"};
  return alert;
}

TEST(Record, GivesBackWhatWasEncoded) {
  const JournaledAlert alert = Full();
  const auto decoded = DecodeRecord(EncodeRecord(alert));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->position, alert.position);
  EXPECT_EQ(decoded->at, alert.at);
  EXPECT_EQ(decoded->opened_at, alert.opened_at);
  EXPECT_EQ(decoded->reached, alert.reached);
  EXPECT_EQ(decoded->host.kernel_release, "6.1");
  EXPECT_EQ(decoded->event.vm, alert.event.vm);
  EXPECT_EQ(decoded->event.summary, alert.event.summary);
  EXPECT_EQ(decoded->event.evidence, alert.event.evidence);
  EXPECT_TRUE(decoded->event.observe_only);
  EXPECT_EQ(decoded->event.tags, alert.event.tags);
  EXPECT_EQ(decoded->event.mitre, alert.event.mitre);
  // All of it, encoded again, is the same.
  EXPECT_EQ(EncodeRecord(*decoded), EncodeRecord(alert));
}

TEST(Record, RefusesWhatIsNone) {
  EXPECT_EQ(DecodeRecord("\xff\xff").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeRecord("").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kvmsentry
