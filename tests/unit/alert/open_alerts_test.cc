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

// The alert as LIVES leaves it.
JournaledAlert Taken(AlertLives& lives, AlertEvent event, uint64_t silenced_by = 0) {
  JournaledAlert alert;
  alert.event = std::move(event);
  alert.silenced_by = silenced_by;
  lives.Take(alert);
  return alert;
}

TEST(AlertLives, TheReachedSeverityIsTheHighestOfALife) {
  AlertLives lives;
  const auto reached = [&lives](AlertState state, Severity severity) {
    return Taken(lives, Step(state, severity)).reached;
  };
  EXPECT_EQ(reached(AlertState::kOpen, Severity::kNotice), Severity::kNotice);
  EXPECT_EQ(reached(AlertState::kUpdated, Severity::kCritical), Severity::kCritical);
  EXPECT_EQ(reached(AlertState::kUpdated, Severity::kInfo), Severity::kCritical);
  EXPECT_EQ(reached(AlertState::kCleared, Severity::kInfo), Severity::kCritical);
  EXPECT_EQ(reached(AlertState::kOpen, Severity::kInfo), Severity::kInfo);
}

TEST(AlertLives, AVmOfTheSameNameHasItsOwn) {
  AlertLives lives;
  Taken(lives, Step(AlertState::kOpen, Severity::kCritical, 1));
  EXPECT_EQ(Taken(lives, Step(AlertState::kOpen, Severity::kInfo, 2)).reached, Severity::kInfo);
}

// Who hides what is silenced sees the end of what it saw begin, and no end of what it did not.
TEST(AlertLives, IsMutedAsLongAsEachStepWasSilenced) {
  AlertLives lives;
  const auto muted = [&lives](AlertState state, uint64_t silenced_by) {
    return Taken(lives, Step(state, Severity::kInfo), silenced_by).muted;
  };
  EXPECT_TRUE(muted(AlertState::kOpen, 7));
  EXPECT_TRUE(muted(AlertState::kUpdated, 8));
  EXPECT_FALSE(muted(AlertState::kUpdated, 0)) << "the silence has ended";
  EXPECT_FALSE(muted(AlertState::kCleared, 9)) << "it was heard before";
  EXPECT_TRUE(muted(AlertState::kOpen, 9)) << "another life";
  EXPECT_TRUE(muted(AlertState::kCleared, 9));
}

TEST(AlertLives, GoesOnFromWhatWasOpen) {
  AlertLives lives;
  JournaledAlert open;
  open.event = Step(AlertState::kOpen, Severity::kWarning);
  open.reached = Severity::kWarning;
  lives.Restore(open);
  const JournaledAlert next = Taken(lives, Step(AlertState::kUpdated, Severity::kInfo), 3);
  EXPECT_EQ(next.reached, Severity::kWarning);
  EXPECT_FALSE(next.muted);
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
