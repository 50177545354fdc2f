#include "sensor/alert/left_open.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(LeftOpen, ClearsTheSameAlert) {
  JournaledAlert open;
  open.event.key = "storm/web-1";
  open.event.state = AlertState::kUpdated;
  open.event.severity = Severity::kWarning;
  open.event.vm.id = {3};
  open.event.summary = "web-1: too much";
  open.opened_at = absl::FromUnixSeconds(5);
  const JournaledAlert cleared = ClearLeftOpen(open, {9}, absl::FromUnixSeconds(8));
  EXPECT_EQ(cleared.event.state, AlertState::kCleared);
  EXPECT_EQ(cleared.event.key, open.event.key);
  EXPECT_EQ(cleared.event.vm.id, open.event.vm.id);
  EXPECT_EQ(cleared.event.severity, Severity::kWarning);
  EXPECT_EQ(cleared.event.at, (KernelTime{9}));
  EXPECT_EQ(cleared.at, absl::FromUnixSeconds(8));
  EXPECT_EQ(cleared.opened_at, open.opened_at);
  EXPECT_NE(cleared.event.summary.find("restarted"), std::string::npos);
  EXPECT_EQ(cleared.event.evidence.at("cleared_by"), "restart");
}

}  // namespace
}  // namespace kvmsentry
