#include "sensor/alert/open_alerts.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

AlertEvent Step(AlertState state, Severity severity, uint64_t serial = 1) {
  AlertEvent event;
  event.key = "storm/web-1";
  event.vm.id = {serial};
  event.state = state;
  event.severity = severity;
  return event;
}

AlertPtr Journaled(AlertEvent event) {
  JournaledAlert alert;
  alert.event = std::move(event);
  return std::make_shared<const JournaledAlert>(std::move(alert));
}

TEST(ReachedSeverities, IsTheHighestOfALife) {
  ReachedSeverities reached;
  EXPECT_EQ(reached.Take(Step(AlertState::kOpen, Severity::kNotice)), Severity::kNotice);
  EXPECT_EQ(reached.Take(Step(AlertState::kUpdated, Severity::kCritical)), Severity::kCritical);
  EXPECT_EQ(reached.Take(Step(AlertState::kUpdated, Severity::kInfo)), Severity::kCritical);
  EXPECT_EQ(reached.Take(Step(AlertState::kCleared, Severity::kInfo)), Severity::kCritical);
  EXPECT_EQ(reached.Take(Step(AlertState::kOpen, Severity::kInfo)), Severity::kInfo);
}

TEST(ReachedSeverities, AVmOfTheSameNameHasItsOwn) {
  ReachedSeverities reached;
  reached.Take(Step(AlertState::kOpen, Severity::kCritical, 1));
  EXPECT_EQ(reached.Take(Step(AlertState::kOpen, Severity::kInfo, 2)), Severity::kInfo);
}

TEST(OpenAlerts, KeepsTheLatestStepUntilItClears) {
  OpenAlerts open;
  open.Take(Journaled(Step(AlertState::kOpen, Severity::kNotice, 1)));
  open.Take(Journaled(Step(AlertState::kOpen, Severity::kInfo, 2)));
  open.Take(Journaled(Step(AlertState::kUpdated, Severity::kCritical, 1)));
  ASSERT_EQ(open.All().size(), 2U);
  EXPECT_EQ(open.All()[0]->event.severity, Severity::kCritical);
  open.Take(Journaled(Step(AlertState::kCleared, Severity::kInfo, 1)));
  ASSERT_EQ(open.All().size(), 1U);
  EXPECT_EQ(open.All()[0]->event.vm.id.serial, 2U);
}

}  // namespace
}  // namespace kvmsentry
