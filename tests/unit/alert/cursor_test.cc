#include "sensor/alert/cursor.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "sensor/alert/hub.h"
#include "sensor/alert/memory_journal.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kEpoch = 9;

void Publish(Hub& hub, int count) {
  for (int i = 0; i < count; ++i) ASSERT_TRUE(hub.Publish({}).ok());
}

// What the cursor gives until it is at the end: "3", or "gap 1-2" with the reason's number.
std::vector<std::string> Drain(Cursor& cursor) {
  std::vector<std::string> out;
  for (;;) {
    const std::optional<StreamItem> item = *cursor.Next();
    if (!item) return out;
    if (const Gap* gap = std::get_if<Gap>(&*item)) {
      out.push_back("gap " + std::to_string(gap->from.sequence) + "-" +
                    std::to_string(gap->to.sequence) + " reason " +
                    std::to_string(static_cast<int>(gap->reason)));
    } else {
      out.push_back(std::to_string(std::get<0>(*item)->position.sequence));
    }
  }
}

using Items = std::vector<std::string>;

TEST(Cursor, GivesWhatIsKeptAndThenWhatIsNew) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 10));
  Publish(hub, 2);
  Cursor cursor = hub.ReadAfter(std::nullopt);
  EXPECT_EQ(Drain(cursor), (Items{"1", "2"}));
  EXPECT_EQ(Drain(cursor), Items{});
  EXPECT_EQ(cursor.position(), (Position{kEpoch, 2}));
  Publish(hub, 1);
  EXPECT_EQ(Drain(cursor), (Items{"3"}));
}

TEST(Cursor, ResumesAfterAPosition) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 10));
  Publish(hub, 4);
  Cursor cursor = hub.ReadAfter(Position{kEpoch, 2});
  EXPECT_EQ(Drain(cursor), (Items{"3", "4"}));
}

TEST(Cursor, SkipsWhatIsKeptIfOnlyNewIsWanted) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 10));
  Publish(hub, 4);
  Cursor cursor = hub.ReadNew();
  EXPECT_EQ(Drain(cursor), Items{});
  Publish(hub, 1);
  EXPECT_EQ(Drain(cursor), (Items{"5"}));
}

TEST(Cursor, TellsTheGapBeforeTheOldestKept) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 2));
  Publish(hub, 5);
  Cursor cursor = hub.ReadAfter(Position{kEpoch, 1});
  EXPECT_EQ(Drain(cursor), (Items{"gap 2-3 reason 2", "4", "5"}));
}

TEST(Cursor, TellsThatTheRingOvertookIt) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 2));
  Cursor cursor = hub.ReadAfter(std::nullopt);
  Publish(hub, 1);
  EXPECT_EQ(Drain(cursor), (Items{"1"}));
  Publish(hub, 5);
  EXPECT_EQ(Drain(cursor), (Items{"gap 2-4 reason 3", "5", "6"}));
}

TEST(Cursor, TellsAnOvertakingBetweenItsStartAndItsFirstReading) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 2));
  Publish(hub, 5);
  Cursor cursor = hub.ReadAfter(Position{kEpoch, 1});
  Publish(hub, 3);
  EXPECT_EQ(Drain(cursor), (Items{"gap 2-3 reason 2", "gap 4-6 reason 3", "7", "8"}));
}

TEST(Cursor, ReadsMoreThanAPage) {
  Hub hub(std::make_unique<MemoryJournal>(kEpoch, 1000));
  Publish(hub, 300);
  Cursor cursor = hub.ReadAfter(std::nullopt);
  const Items items = Drain(cursor);
  ASSERT_EQ(items.size(), 300U);
  EXPECT_EQ(items.back(), "300");
}

}  // namespace
}  // namespace kvmsentry
