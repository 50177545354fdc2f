#include "sensor/alert/resume.h"

#include <optional>
#include <ostream>

#include <gtest/gtest.h>

namespace kvmsentry {

void PrintTo(const Resume& resume, std::ostream* out) {
  *out << "after " << ToString(resume.after);
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

const JournalBounds kEmpty{{{.epoch = 9, .oldest = 1, .last = 0}}};
const JournalBounds kYoung{{{.epoch = 9, .oldest = 1, .last = 5}}};
const JournalBounds kFull{{{.epoch = 9, .oldest = 101, .last = 200}}};
// The journal could not be written for a while, and twice more: of 12 the first four were dropped.
const JournalBounds kEpochs{{{9, 101, 200}, {11, 1, 3}, {12, 5, 8}}};

TEST(ResumeAfter, TellsWhereToGoOnAndWhatIsMissing) {
  const Case cases[] = {
      {"no position, nothing kept", std::nullopt, kEmpty, {{9, 0}, {}}},
      {"no position", std::nullopt, kYoung, {{9, 0}, {}}},
      {"no position, the oldest are gone", std::nullopt, kFull, {{9, 100}, {}}},
      {"from before the first, nothing kept", {{9, 0}}, kEmpty, {{9, 0}, {}}},
      {"from before the first", {{9, 0}}, kYoung, {{9, 0}, {}}},
      {"from the middle", {{9, 3}}, kYoung, {{9, 3}, {}}},
      {"from the last but one", {{9, 4}}, kYoung, {{9, 4}, {}}},
      {"from the last", {{9, 5}}, kYoung, {{9, 5}, {}}},
      {"just kept", {{9, 100}}, kFull, {{9, 100}, {}}},
      {"one is gone",
       {{9, 99}},
       kFull,
       {{9, 100}, Gap{{9, 100}, {9, 100}, GapReason::kNoLongerKept}}},
      {"all that are gone",
       {{9, 0}},
       kFull,
       {{9, 100}, Gap{{9, 1}, {9, 100}, GapReason::kNoLongerKept}}},
      {"one ahead", {{9, 6}}, kYoung, {{9, 0}, Gap{{9, 6}, {9, 6}, GapReason::kNotYetWritten}}},
      {"far ahead",
       {{9, 900}},
       kFull,
       {{9, 100}, Gap{{9, 201}, {9, 900}, GapReason::kNotYetWritten}}},
      {"the largest position",
       {{9, UINT64_MAX}},
       kYoung,
       {{9, 0}, Gap{{9, 6}, {9, UINT64_MAX}, GapReason::kNotYetWritten}}},
      {"ahead of nothing",
       {{9, 1}},
       kEmpty,
       {{9, 0}, Gap{{9, 1}, {9, 1}, GapReason::kNotYetWritten}}},
      {"another epoch, all of this one kept",
       {{8, 77}},
       kYoung,
       {{9, 0}, Gap{{8, 77}, {9, 0}, GapReason::kEpochChanged}}},
      {"another epoch, some of this one gone too",
       {{8, 3}},
       kFull,
       {{9, 100}, Gap{{8, 3}, {9, 100}, GapReason::kEpochChanged}}},
      {"the end of an epoch", {{9, 200}}, kEpochs, {{11, 0}, {}}},
      {"within an epoch that ended", {{11, 1}}, kEpochs, {{11, 1}, {}}},
      {"the end of an epoch, the next has lost its first",
       {{11, 3}},
       kEpochs,
       {{12, 4}, Gap{{12, 1}, {12, 4}, GapReason::kNoLongerKept}}},
      {"an epoch between, not kept",
       {{10, 1}},
       kEpochs,
       {{9, 100}, Gap{{10, 1}, {9, 100}, GapReason::kEpochChanged}}},
      {"a later epoch",
       {{10, 3}},
       kYoung,
       {{9, 0}, Gap{{10, 3}, {9, 0}, GapReason::kEpochChanged}}},
  };
  for (const Case& c : cases) EXPECT_EQ(ResumeAfter(c.since, c.bounds), c.expected) << c.what;
}

TEST(ContinueAt, TellsWhatTheRingOvertook) {
  EXPECT_EQ(ContinueAt({9, 0}, kEmpty), (Resume{{9, 0}, {}}));
  EXPECT_EQ(ContinueAt({9, 200}, kFull), (Resume{{9, 200}, {}}));
  EXPECT_EQ(ContinueAt({9, 100}, kFull), (Resume{{9, 100}, {}}));
  EXPECT_EQ(ContinueAt({9, 99}, kFull),
            (Resume{{9, 100}, Gap{{9, 100}, {9, 100}, GapReason::kSlowSubscriber}}));
  EXPECT_EQ(ContinueAt({9, 6}, kFull),
            (Resume{{9, 100}, Gap{{9, 7}, {9, 100}, GapReason::kSlowSubscriber}}));
  EXPECT_EQ(ContinueAt({9, 200}, kEpochs), (Resume{{11, 0}, {}}));
  EXPECT_EQ(ContinueAt({11, 3}, kEpochs),
            (Resume{{12, 4}, Gap{{12, 1}, {12, 4}, GapReason::kSlowSubscriber}}));
  EXPECT_EQ(ContinueAt({12, 8}, kEpochs), (Resume{{12, 8}, {}}));
}

}  // namespace
}  // namespace kvmsentry
