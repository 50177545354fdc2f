#include "sensor/alert/silence_book.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SetClock final : public Clock {
 public:
  KernelTime Now() const override { return now; }
  absl::Time WallNow() const override { return wall; }
  void Pass(absl::Duration time) {
    wall += time;
    now = now + absl::ToInt64Nanoseconds(time);
  }
  KernelTime now{100 * kNsPerSecond};
  absl::Time wall = absl::FromUnixSeconds(1'800'000'000);
};

AlertEvent EventOf(const std::string& vm) {
  AlertEvent event;
  event.vm.id = {1};
  event.vm.name = vm;
  event.spec_id = "pio-storm";
  return event;
}

class SilenceBookTest : public ::testing::Test {
 protected:
  std::unique_ptr<SilenceBook> Open() { return SilenceBook::Open(dir_.path(), clock_).value(); }
  static std::vector<uint64_t> Ids(const SilenceBook& book) {
    std::vector<uint64_t> ids;
    for (const Silence& silence : book.Active()) ids.push_back(silence.id);
    return ids;
  }

  SetClock clock_;
  TempDir dir_ = TempDir::Make().value();
  std::string file_ = dir_ / "silences.textproto";
};

TEST_F(SilenceBookTest, APatternOfTheSensorsOwnAlertsIsRefusedForItWouldMatchNone) {
  const auto book = Open();
  EXPECT_THAT(book->Add({.spec = "self-*"}, absl::Hours(2), "why", "alice").status().message(),
              HasSubstr("silenced by their whole id alone"));
  ASSERT_OK(book->Add({.spec = "self-specs"}, absl::Hours(2), "why", "alice").status());
}

TEST_F(SilenceBookTest, IsKeptOverARestart) {
  {
    const auto book = Open();
    ASSERT_OK_AND_ASSIGN(const Silence first,
                         book->Add({.vm = "web-*"}, absl::Hours(2), "a\x1b disk", "alice"));
    EXPECT_EQ(first.comment, "a\\x1b disk");
    ASSERT_OK(
        book->Add({.spec = "pio-storm", .point = Point::kK2, .max_severity = Severity::kNotice},
                  absl::Hours(1), "c", ""));
    EXPECT_TRUE(book->kept());
  }
  struct stat facts {};
  ASSERT_EQ(stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  clock_.Pass(absl::Minutes(30));
  const auto book = Open();
  const std::vector<Silence> active = book->Active();
  ASSERT_THAT(active, SizeIs(2));
  EXPECT_EQ(active[0].match.vm, "web-*");
  EXPECT_EQ(active[0].author, "alice");
  EXPECT_EQ(active[0].comment, "a\\x1b disk");
  EXPECT_EQ(
      active[1].match,
      (SilenceMatch{.spec = "pio-storm", .point = Point::kK2, .max_severity = Severity::kNotice}));
  EXPECT_EQ(book->SilencedBy(EventOf("web-1")), 1U);
  clock_.Pass(absl::Minutes(31));
  EXPECT_THAT(Ids(*book), ElementsAre(1));
  clock_.Pass(absl::Hours(1));
  EXPECT_EQ(book->SilencedBy(EventOf("web-1")), 0U);
}

TEST_F(SilenceBookTest, AnIdIsNeverGivenTwice) {
  {
    const auto book = Open();
    ASSERT_OK(book->Add({.vm = "a"}, absl::Hours(1), "c", ""));
    ASSERT_OK(book->End(1));
    EXPECT_EQ(book->End(1).status().code(), absl::StatusCode::kNotFound);
  }
  const auto book = Open();
  EXPECT_THAT(Ids(*book), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Silence next, book->Add({.vm = "a"}, absl::Hours(1), "c", ""));
  EXPECT_EQ(next.id, 2U);
}

TEST_F(SilenceBookTest, AClockThatIsSetBackOverARestartProlongsNoneBeyondItsLength) {
  ASSERT_OK(Open()->Add({.vm = "web-*"}, absl::Hours(1), "c", ""));
  clock_.wall -= absl::Seconds(30);
  const auto book = Open();
  EXPECT_THAT(Ids(*book), ElementsAre(1));
  clock_.now = clock_.now + absl::ToInt64Nanoseconds(absl::Hours(1));
  EXPECT_THAT(Ids(*book), IsEmpty());
}

TEST_F(SilenceBookTest, RefusesWhatIsOutOfBounds) {
  SilenceBook book(clock_);
  EXPECT_FALSE(book.kept());
  const auto problem = [&](SilenceMatch match, absl::Duration lasts, const std::string& comment,
                           const std::string& author = "") {
    return std::string(book.Add(std::move(match), lasts, comment, author).status().message());
  };
  const absl::Duration hour = absl::Hours(1);
  EXPECT_THAT(problem({}, hour, "c"), HasSubstr("match: says nothing"));
  EXPECT_THAT(problem({.max_severity = Severity::kInfo}, hour, "c"), HasSubstr("match: "));
  EXPECT_THAT(problem({.vm = std::string(257, 'x')}, hour, "c"), HasSubstr("match.vm: 257 bytes"));
  EXPECT_THAT(problem({.spec = "[a"}, hour, "c"), HasSubstr("match.spec: "));
  EXPECT_THAT(problem({.vm = "a"}, absl::ZeroDuration(), "c"), HasSubstr("lasts: "));
  EXPECT_THAT(problem({.vm = "a"}, absl::Hours(24 * 31), "c"), HasSubstr("lasts: 744h"));
  EXPECT_THAT(problem({.vm = "a"}, hour, ""), HasSubstr("comment: empty"));
  EXPECT_THAT(problem({.vm = "a"}, hour, std::string(513, 'x')), HasSubstr("comment: 513"));
  EXPECT_THAT(problem({.vm = "a"}, hour, "c", std::string(65, 'x')), HasSubstr("author: 65"));
  EXPECT_THAT(book.Active(), IsEmpty());
  for (size_t i = 0; i < kMaxSilences; ++i) ASSERT_OK(book.Add({.vm = "a"}, hour, "c", ""));
  EXPECT_EQ(book.Add({.vm = "a"}, hour, "c", "").status().code(),
            absl::StatusCode::kResourceExhausted);
  clock_.Pass(hour);
  EXPECT_TRUE(book.Add({.vm = "a"}, hour, "c", "").ok()) << "those have ended";
}

TEST_F(SilenceBookTest, AFileThatCannotBeUnderstoodIsMovedAsideAndSilencesNothing) {
  std::ofstream(file_) << "silence { id: 1 vm: \"*\" bogus";
  const auto book = Open();
  EXPECT_THAT(book->problem(), HasSubstr("silences.textproto: line 1"));
  EXPECT_THAT(book->problem(), HasSubstr(file_ + ".unreadable"));
  EXPECT_TRUE(std::filesystem::exists(file_ + ".unreadable"));
  EXPECT_EQ(book->SilencedBy(EventOf("a")), 0U);
  ASSERT_OK(book->Add({.vm = "a"}, absl::Hours(1), "c", ""));
  EXPECT_THAT(Open()->problem(), IsEmpty());
}

TEST_F(SilenceBookTest, WhatCannotBeKeptSilencesNothing) {
  const auto book = Open();
  std::filesystem::remove_all(dir_.path());
  EXPECT_FALSE(book->Add({.vm = "*"}, absl::Hours(1), "c", "").ok());
  EXPECT_THAT(book->Active(), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
