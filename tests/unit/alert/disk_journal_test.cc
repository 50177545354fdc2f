#include "sensor/alert/disk_journal.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/alert/hub.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DiskJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make());
    options_.dir = *dir_ / "state";
    options_.retry = absl::Milliseconds(10);
  }

  void Start() {
    journal_.reset();
    ASSERT_OK_AND_ASSIGN(journal_, DiskJournal::Start(options_, SystemClock()));
  }

  void Append(const std::string& key, AlertState state = AlertState::kOpen) {
    JournaledAlert alert;
    alert.event.key = key;
    alert.event.state = state;
    alert.event.severity = Severity::kWarning;
    alert.at = absl::Now();
    ASSERT_OK(journal_->Append(std::move(alert)));
  }
  void AppendAndFlush(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) Append(key);
    journal_->Flush(seconds(60));
  }

  // What a reader that has all up to AFTER gets: keys, and "gap" where something is missing.
  std::vector<std::string> ReadAll(Position after) const {
    std::vector<std::string> out;
    Cursor cursor(*journal_, ResumeAfter(after, journal_->bounds()));
    for (;;) {
      const auto item = cursor.Next();
      if (!item.ok()) return out.push_back(item.status().ToString()), out;
      if (!*item) return out;
      const bool gap = std::holds_alternative<Gap>(**item);
      out.push_back(gap ? "gap" : std::get<AlertPtr>(**item)->event.key);
    }
  }
  std::vector<std::string> OpenKeys() const {
    std::vector<std::string> keys;
    for (const AlertPtr& open : journal_->Open()) keys.push_back(open->event.key);
    return keys;
  }
  Position Last() const { return journal_->bounds().last(); }
  bool Recovers() const {
    return WaitUntil([this] { return journal_->state().problem.empty(); });
  }
  std::string File() const { return options_.dir + "/journal.db"; }

  std::optional<TempDir> dir_;
  DiskJournal::Options options_;
  std::unique_ptr<DiskJournal> journal_;
};

TEST_F(DiskJournalTest, GoesOnAfterARestartAtTheSamePositions) {
  Start();
  const Position begin = Last();
  AppendAndFlush({"a", "b"});
  const Position last = Last();
  EXPECT_EQ(last, (Position{begin.epoch, 2}));
  Start();
  EXPECT_EQ(Last(), last);
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b"));
  AppendAndFlush({"c"});
  EXPECT_EQ(Last(), (Position{begin.epoch, 3}));
  EXPECT_THAT(ReadAll({begin.epoch, 1}), ElementsAre("b", "c"));
  EXPECT_TRUE(journal_->state().problem.empty());
}

TEST_F(DiskJournalTest, ReadsFromDiskWhatMemoryHasNoLonger) {
  options_.capacity = 2;
  Start();
  const Position begin = Last();
  AppendAndFlush({"a", "b", "c", "d", "e"});
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b", "c", "d", "e"));
  std::vector<std::string> back;
  Position before{INT64_MAX, INT64_MAX};
  for (;;) {
    ASSERT_OK_AND_ASSIGN(const auto page, journal_->ReadBefore(before, 2));
    if (page.empty()) break;
    for (const AlertPtr& alert : page) back.push_back(alert->event.key);
    before = page.back()->position;
  }
  EXPECT_THAT(back, ElementsAre("e", "d", "c", "b", "a"));
}

TEST_F(DiskJournalTest, WhatIsOpenIsKeptWhateverIsEvicted) {
  options_.capacity = 2;
  options_.limits.max_bytes = 400;
  Start();
  const Position begin = Last();
  Append("open");
  for (int i = 0; i < 50; ++i) {
    Append("other", i % 2 == 0 ? AlertState::kOpen : AlertState::kCleared);
  }
  journal_->Flush(seconds(60));
  const auto kept = ReadAll(begin);
  EXPECT_EQ(kept[0], "gap");
  EXPECT_LT(kept.size(), 20U);
  EXPECT_LE(journal_->state().bytes, 400U);
  EXPECT_THAT(OpenKeys(), ElementsAre("open"));
  Start();
  EXPECT_THAT(OpenKeys(), ElementsAre("open"));
  Append("open", AlertState::kCleared);
  journal_->Flush(seconds(60));
  EXPECT_EQ(journal_->Read({begin.epoch, 51}, 1)->alerts.at(0)->reached, Severity::kWarning);
  Start();
  EXPECT_THAT(OpenKeys(), IsEmpty());
}

TEST_F(DiskJournalTest, EvictsByAge) {
  options_.capacity = 1;
  Start();
  const Position begin = Last();
  JournaledAlert old;
  old.event.key = "old";
  old.at = absl::Now() - absl::Hours(24 * 31);
  ASSERT_OK(journal_->Append(std::move(old)));
  AppendAndFlush({"new"});
  EXPECT_THAT(ReadAll(begin), ElementsAre("gap", "new"));
}

TEST_F(DiskJournalTest, TwoCannotHaveTheSameFolder) {
  Start();
  EXPECT_EQ(DiskJournal::Start(options_, SystemClock()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(DiskJournalTest, AGarbageFileIsMovedAside) {
  std::filesystem::create_directory(options_.dir);
  std::ofstream(File()) << std::string(100'000, 'x');
  Start();
  EXPECT_TRUE(journal_->state().problem.empty());
  EXPECT_THAT(journal_->state().recreated, HasSubstr("moved to " + File() + ".unreadable"));
  const Position begin = Last();
  AppendAndFlush({"a"});
  Start();
  EXPECT_THAT(ReadAll(begin), ElementsAre("a"));
  EXPECT_THAT(journal_->state().recreated, IsEmpty());
}

TEST_F(DiskJournalTest, BeginsInMemoryAndMovesToTheDiskOnceItCan) {
  std::ofstream(options_.dir) << "a file where the folder should be";
  Start();
  EXPECT_FALSE(journal_->state().problem.empty());
  const Position begin = Last();
  AppendAndFlush({"a"});
  EXPECT_THAT(ReadAll(begin), ElementsAre("a"));
  std::filesystem::remove(options_.dir);
  std::filesystem::create_directory(options_.dir);
  ASSERT_TRUE(Recovers());
  AppendAndFlush({"b"});
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b"));
  Start();
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b"));
  EXPECT_THAT(OpenKeys(), ElementsAre("a", "b"));
}

TEST_F(DiskJournalTest, AFileThatIsTakenAwayIsWrittenAgain) {
  Start();
  const Position begin = Last();
  AppendAndFlush({"a"});
  std::filesystem::remove(File());
  AppendAndFlush({"b"});
  // Its position could be given again, had the process died: so it is of a new epoch.
  EXPECT_GT(Last().epoch, begin.epoch);
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b"));
  ASSERT_TRUE(Recovers());
  AppendAndFlush({"c"});
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b", "c"));
  Start();
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "b", "c"));
  EXPECT_EQ(journal_->state().unwritten, 0U);
}

TEST_F(DiskJournalTest, CountsWhatNeverCameToTheDisk) {
  options_.capacity = 2;
  Start();
  const Position begin = Last();
  AppendAndFlush({"a"});
  std::filesystem::rename(options_.dir, options_.dir + ".away");
  std::ofstream(options_.dir) << "in its way";
  AppendAndFlush({"b", "c", "d", "e", "f"});
  EXPECT_EQ(journal_->state().unwritten, 3U);
  EXPECT_THAT(ReadAll({begin.epoch, 1}), ElementsAre("gap", "e", "f"));
  std::filesystem::remove(options_.dir);
  std::filesystem::rename(options_.dir + ".away", options_.dir);
  ASSERT_TRUE(Recovers());
  Start();
  EXPECT_THAT(ReadAll(begin), ElementsAre("a", "gap", "e", "f"));
}

TEST_F(DiskJournalTest, AClockSetBackMakesNoEpochTwice) {
  class BackClock final : public Clock {
   public:
    KernelTime Now() const override { return SystemClock().Now(); }
    absl::Time WallNow() const override { return absl::FromUnixSeconds(1); }
  };
  Start();
  const Position begin = Last();
  AppendAndFlush({"a"});
  const BackClock back;
  journal_.reset();
  ASSERT_OK_AND_ASSIGN(journal_, DiskJournal::Start(options_, back));
  std::filesystem::remove(File());
  AppendAndFlush({"b"});
  EXPECT_EQ(Last(), (Position{begin.epoch + 1, 1}));
  ASSERT_TRUE(Recovers());
  EXPECT_THAT(ReadAll({begin.epoch, 1}), ElementsAre("b"));
  journal_.reset();
}

TEST_F(DiskJournalTest, AReaderIsWokenOnlyOnceTheAlertIsOnDisk) {
  Start();
  const Position begin = Last();
  Hub hub(std::move(journal_));
  JournaledAlert alert;
  alert.event.key = "'); DROP TABLE alerts;--";
  alert.at = absl::Now();
  ASSERT_OK(hub.Publish(std::move(alert)));
  EXPECT_EQ(hub.Wait(begin, seconds(60), {}), (Position{begin.epoch, 1}));
  ASSERT_OK_AND_ASSIGN(const auto file, JournalFile::OpenToRead(File()));
  ASSERT_OK_AND_ASSIGN(const auto alerts, file->Read(begin, 10));
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0]->event.key, "'); DROP TABLE alerts;--");
}

}  // namespace
}  // namespace kvmsentry
