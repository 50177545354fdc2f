#include "sensor/alert/resume.h"

#include <optional>
#include <ostream>

#include <gtest/gtest.h>

namespace kvmsentry {

void PrintTo(const Resume& resume, std::ostream* out) {
  *out << "next " << resume.next;
  if (!resume.gap) return;
  *out << ", gap " << ToString(resume.gap->from) << " to " << ToString(resume.gap->to)
       << ", reason " << static_cast<int>(resume.gap->reason);
}

namespace {

struct Case {
  const char* what;
  std::optional<Position> since;
  JournalBounds bounds;
  Resume expected;
};

constexpr JournalBounds kEmpty{.epoch = 9, .oldest = 1, .last = 0};
constexpr JournalBounds kYoung{.epoch = 9, .oldest = 1, .last = 5};
constexpr JournalBounds kFull{.epoch = 9, .oldest = 101, .last = 200};

TEST(ResumeAfter, TellsWhereToGoOnAndWhatIsMissing) {
  const Case cases[] = {
      {"no position, nothing kept", std::nullopt, kEmpty, {1, {}}},
      {"no position", std::nullopt, kYoung, {1, {}}},
      {"no position, the oldest are gone", std::nullopt, kFull, {101, {}}},
      {"from before the first, nothing kept", {{9, 0}}, kEmpty, {1, {}}},
      {"from before the first", {{9, 0}}, kYoung, {1, {}}},
      {"from the middle", {{9, 3}}, kYoung, {4, {}}},
      {"from the last but one", {{9, 4}}, kYoung, {5, {}}},
      {"from the last", {{9, 5}}, kYoung, {6, {}}},
      {"just kept", {{9, 100}}, kFull, {101, {}}},
      {"one is gone", {{9, 99}}, kFull, {101, Gap{{9, 100}, {9, 100}, GapReason::kNoLongerKept}}},
      {"all that are gone",
       {{9, 0}},
       kFull,
       {101, Gap{{9, 1}, {9, 100}, GapReason::kNoLongerKept}}},
      {"one ahead", {{9, 6}}, kYoung, {1, Gap{{9, 6}, {9, 6}, GapReason::kNotYetWritten}}},
      {"far ahead", {{9, 900}}, kFull, {101, Gap{{9, 201}, {9, 900}, GapReason::kNotYetWritten}}},
      {"the largest position",
       {{9, UINT64_MAX}},
       kYoung,
       {1, Gap{{9, 6}, {9, UINT64_MAX}, GapReason::kNotYetWritten}}},
      {"ahead of nothing", {{9, 1}}, kEmpty, {1, Gap{{9, 1}, {9, 1}, GapReason::kNotYetWritten}}},
      {"another epoch, all of this one kept",
       {{8, 77}},
       kYoung,
       {1, Gap{{8, 77}, {9, 0}, GapReason::kEpochChanged}}},
      {"another epoch, some of this one gone too",
       {{8, 3}},
       kFull,
       {101, Gap{{8, 3}, {9, 100}, GapReason::kEpochChanged}}},
      {"a later epoch", {{10, 3}}, kYoung, {1, Gap{{10, 3}, {9, 0}, GapReason::kEpochChanged}}},
  };
  for (const Case& c : cases) EXPECT_EQ(ResumeAfter(c.since, c.bounds), c.expected) << c.what;
}

TEST(ContinueAt, TellsWhatTheRingOvertook) {
  EXPECT_EQ(ContinueAt(1, kEmpty), (Resume{1, {}}));
  EXPECT_EQ(ContinueAt(201, kFull), (Resume{201, {}}));
  EXPECT_EQ(ContinueAt(101, kFull), (Resume{101, {}}));
  EXPECT_EQ(ContinueAt(100, kFull),
            (Resume{101, Gap{{9, 100}, {9, 100}, GapReason::kSlowSubscriber}}));
  EXPECT_EQ(ContinueAt(7, kFull), (Resume{101, Gap{{9, 7}, {9, 100}, GapReason::kSlowSubscriber}}));
}

}  // namespace
}  // namespace kvmsentry
