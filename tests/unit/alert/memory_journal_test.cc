#include "sensor/alert/memory_journal.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

JournaledAlert Named(std::string key) {
  JournaledAlert alert;
  alert.event.key = std::move(key);
  return alert;
}

std::vector<std::string> Keys(const Journal& journal, uint64_t next, size_t max) {
  std::vector<std::string> keys;
  const Journal::Page page = journal.Read({5, next - 1}, max).value();
  for (const auto& alert : page.alerts) keys.push_back(alert->event.key);
  return keys;
}

using KeyList = std::vector<std::string>;

TEST(MemoryJournal, StartsEmptyInItsEpoch) {
  const MemoryJournal journal(5, 3);
  EXPECT_EQ(journal.bounds().epochs, (std::vector<EpochBounds>{{5, 1, 0}}));
  EXPECT_EQ(journal.bounds().last(), (Position{5, 0}));
  EXPECT_EQ(journal.capacity(), 3U);
  EXPECT_TRUE(journal.Read({5, 0}, 10)->alerts.empty());
}

TEST(MemoryJournal, CountsFromOneAndKeepsTheNewest) {
  MemoryJournal journal(5, 3);
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(journal.Append(Named(std::to_string(i))).ok());
  }
  EXPECT_EQ(journal.bounds().epochs, (std::vector<EpochBounds>{{5, 3, 5}}));
  EXPECT_EQ(journal.Read({5, 3}, 1)->alerts.at(0)->position, (Position{5, 4}));
}

TEST(MemoryJournal, ReadsFromAPositionOrFromTheOldest) {
  MemoryJournal journal(5, 3);
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(journal.Append(Named(std::to_string(i))).ok());
  EXPECT_EQ(Keys(journal, 1, 10), (KeyList{"3", "4", "5"}));
  EXPECT_EQ(Keys(journal, 3, 2), (KeyList{"3", "4"}));
  EXPECT_EQ(Keys(journal, 4, 10), (KeyList{"4", "5"}));
  EXPECT_EQ(Keys(journal, 5, 10), (KeyList{"5"}));
  EXPECT_EQ(Keys(journal, 6, 10), KeyList{});
  EXPECT_EQ(Keys(journal, UINT64_MAX, 10), KeyList{});
}

TEST(MemoryJournal, WhatIsReadOutlivesWhatIsKept) {
  MemoryJournal journal(5, 1);
  ASSERT_TRUE(journal.Append(Named("first")).ok());
  const auto page = journal.Read({5, 0}, 1);
  ASSERT_TRUE(journal.Append(Named("second")).ok());
  EXPECT_EQ(page->alerts.at(0)->event.key, "first");
}

}  // namespace
}  // namespace kvmsentry
