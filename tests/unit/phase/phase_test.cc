#include "sensor/phase/phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

enum State : uint64_t { kIdle, kLogging, kStopped };
enum Kind : uint32_t { kLogOn, kPause, kResume };

// A source of a migration, much simplified: a pause alone is none.
constexpr Transition kTransitions[] = {
    {.from = kIdle,
     .event = kLogOn,
     .when = [](const Event& e) { return e.arguments[0] != 0; },
     .to = kLogging},
    {.from = kLogging, .event = kPause, .to = kStopped},
    {.event = kResume, .to = kIdle},
};

Phase Migration() { return Phase({.feature = {}, .initial = kIdle, .transitions = kTransitions}); }

Event At(int64_t time, uint32_t kind, uint64_t argument = 1, uint64_t vm = 1) {
  return {.time = {time},
          .vm = {vm},
          .serial = static_cast<uint64_t>(time),
          .kind = kind,
          .arguments = {argument}};
}

std::vector<uint64_t> States(const std::vector<Observation>& observations) {
  std::vector<uint64_t> states;
  for (const Observation& o : observations) states.push_back(o.value);
  return states;
}

TEST(PhaseTest, EventsInOrderLeadFromStateToState) {
  Phase phase = Migration();
  const auto seen = phase.Take({At(1, kLogOn), At(2, kPause), At(3, kResume)});
  EXPECT_THAT(States(seen), ElementsAre(kLogging, kStopped, kIdle));
  EXPECT_EQ(seen[1].time, KernelTime{2});
  EXPECT_EQ(seen[1].kind, ObservationKind::kState);
}

TEST(PhaseTest, TheSameEventsInAnotherOrderAreNoMigration) {
  Phase phase = Migration();
  EXPECT_THAT(phase.Take({At(1, kPause), At(2, kResume)}), IsEmpty());
  EXPECT_THAT(phase.Take({At(3, kLogOn, 0), At(4, kPause)}), IsEmpty()) << "by its argument";
}

TEST(PhaseTest, TheOrderOfArrivalShowsNowhere) {
  Phase phase = Migration();
  EXPECT_THAT(States(phase.Take({At(3, kResume), At(2, kPause), At(1, kLogOn)})),
              ElementsAre(kLogging, kStopped, kIdle));
}

TEST(PhaseTest, AnEventThatComesTooLateIsCounted) {
  Phase phase = Migration();
  phase.Take({At(5, kLogOn)});
  EXPECT_THAT(phase.Take({At(4, kPause)}), IsEmpty());
  EXPECT_EQ(phase.late(), 1U);
  EXPECT_EQ(phase.StateOf({1}, {}), kLogging);
}

TEST(PhaseTest, VmsAndPartsHaveStatesOfTheirOwn) {
  Phase phase = Migration();
  Event of_part = At(2, kLogOn);
  of_part.part = {PartKind::kVcpu, 3};
  phase.Take({At(1, kLogOn, 1, 7), of_part});
  EXPECT_EQ(phase.StateOf({7}, {}), kLogging);
  EXPECT_EQ(phase.StateOf({1}, {}), kIdle);
  EXPECT_EQ(phase.StateOf({1}, {PartKind::kVcpu, 3}), kLogging);
  phase.Forget({1});
  EXPECT_EQ(phase.StateOf({1}, {PartKind::kVcpu, 3}), kIdle);
  EXPECT_EQ(phase.StateOf({7}, {}), kLogging);
}

TEST(PhaseTest, OnlySoManyAreFollowed) {
  Phase phase = Migration();
  std::vector<Event> events;
  for (uint64_t vm = 1; vm <= Phase::kMostFollowed + 2; ++vm)
    events.push_back(At(1, kLogOn, 1, vm));
  EXPECT_EQ(phase.Take(events).size(), Phase::kMostFollowed);
  EXPECT_EQ(phase.not_followed(), 2U);
}

}  // namespace
}  // namespace kvmsentry
