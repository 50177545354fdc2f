// Real folders and the real worker: what is loaded, what is refused, and who is answered.
#include "sensor/daemon/spec_keeper.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string OneSpec(const std::string& id, int weight = 1) {
  return absl::StrCat("spec { id: \"", id, "\" point: K2 feature: \"pio.rate\" norm { max: 9 }",
                      " weight: ", weight, " severity: INFO why: \"w\" look_at: \"l\" }\n");
}

class SpecKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make());
    folders_ = {.shipped = *dir_ / "shipped", .site = *dir_ / "site"};
    fs::create_directory(folders_.shipped);
    Write(folders_.shipped, "a.textproto", OneSpec("shipped"));
    ASSERT_OK_AND_ASSIGN(const LoadedLibrary first, LoadLibrary(folders_));
    first_sha256_ = first.sha256;
    ASSERT_OK_AND_ASSIGN(keeper_, SpecKeeper::Make(folders_, first, SystemClock()));
  }

  static void Write(const std::string& folder, const std::string& name, const std::string& text) {
    fs::create_directories(folder);
    std::ofstream(folder + "/" + name) << text;
  }

  // Ticks until CONDITION holds.
  template <typename Condition>
  bool TickUntil(Condition condition) {
    return WaitUntil([&] {
      if (auto library = keeper_->OnTick(SystemClock().Now())) {
        library_ = std::move(library);
        ++exchanges_;
      }
      keeper_->TellDone();
      return condition();
    });
  }

  SpecControl::Done Into(std::optional<absl::StatusOr<LoadedSpecs>>& answer) {
    return [&answer](absl::StatusOr<LoadedSpecs> loaded) {
      EXPECT_FALSE(answer) << "answered twice";
      answer = std::move(loaded);
    };
  }
  absl::StatusOr<LoadedSpecs> Apply(SiteChange change) {
    std::optional<absl::StatusOr<LoadedSpecs>> answer;
    keeper_->Apply(std::move(change), Into(answer));
    EXPECT_TRUE(TickUntil([&] { return answer.has_value(); }));
    return *answer;
  }
  absl::StatusOr<LoadedSpecs> Reload() {
    std::optional<absl::StatusOr<LoadedSpecs>> answer;
    keeper_->Reload(Into(answer));
    EXPECT_TRUE(TickUntil([&] { return answer.has_value(); }));
    return *answer;
  }

  std::optional<TempDir> dir_;
  SpecFolders folders_;
  std::string first_sha256_;
  std::unique_ptr<SpecKeeper> keeper_;
  std::shared_ptr<const SpecLibrary> library_;  // the latest that was to be used
  int exchanges_ = 0;
};

TEST_F(SpecKeeperTest, ReadsTheFoldersAgain) {
  Write(folders_.site, "s.textproto", "override { spec: \"shipped\" weight: 7 }" + OneSpec("ours"));
  ASSERT_OK_AND_ASSIGN(const LoadedSpecs loaded, Reload());
  EXPECT_NE(loaded.library.sha256, first_sha256_);
  EXPECT_EQ(loaded.library.shipped, 1U);
  EXPECT_EQ(loaded.library.site, 1U);
  EXPECT_EQ(loaded.library.overridden, 1U);
  ASSERT_NE(library_, nullptr);
  EXPECT_EQ(library_->Find("shipped")->weight, 7);
  EXPECT_EQ(keeper_->view().sha256, loaded.library.sha256);
}

TEST_F(SpecKeeperTest, WhatDidNotChangeIsNotExchanged) {
  ASSERT_OK_AND_ASSIGN(const LoadedSpecs loaded, Reload());
  EXPECT_EQ(loaded.library.sha256, first_sha256_);
  EXPECT_EQ(exchanges_, 0);
}

TEST_F(SpecKeeperTest, AnErrorIsRefusedAndWhatWasLoadedStays) {
  Write(folders_.site, "s.textproto", "override {\n  spec: \"shiped\" }");
  const auto refused = Reload();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr(folders_.site + "/s.textproto:2:3: error: override of an unknown spec"));
  EXPECT_EQ(exchanges_, 0);
  EXPECT_EQ(keeper_->view().sha256, first_sha256_);
  EXPECT_EQ(keeper_->view().refused, refused.status().message());
  EXPECT_GT(keeper_->view().refused_at, absl::UnixEpoch());
  Write(folders_.site, "s.textproto", OneSpec("ours"));
  ASSERT_OK(Reload());
  EXPECT_EQ(keeper_->view().refused, "");
  EXPECT_EQ(exchanges_, 1);
}

TEST_F(SpecKeeperTest, AFolderThatCannotBeReadIsRefused) {
  fs::remove_all(folders_.shipped);
  EXPECT_FALSE(Reload().ok());
  EXPECT_THAT(keeper_->view().refused, HasSubstr(folders_.shipped));
  EXPECT_EQ(exchanges_, 0);
}

TEST_F(SpecKeeperTest, AChangedFileIsLoadedByItself) {
  // Of a folder that comes only now.
  Write(folders_.site, "s.textproto", OneSpec("ours"));
  ASSERT_TRUE(TickUntil([&] { return library_ != nullptr && library_->Find("ours") != nullptr; }));
  Write(folders_.site, "s.textproto", "");
  ASSERT_TRUE(TickUntil([&] { return library_->Find("ours") == nullptr; }));
  Write(folders_.shipped, "b.textproto", OneSpec("more"));
  ASSERT_TRUE(TickUntil([&] { return library_->Find("more") != nullptr; }));
}

TEST_F(SpecKeeperTest, ASignalIsAReload) {
  Write(folders_.site, "s.textproto", OneSpec("ours"));
  keeper_->OnSignal(SystemClock().Now());
  ASSERT_TRUE(TickUntil([&] { return exchanges_ > 0; }));
}

TEST_F(SpecKeeperTest, ApplyWritesTheLayerAndLoadsIt) {
  Write(folders_.site, "old.textproto", OneSpec("old"));
  ASSERT_OK_AND_ASSIGN(const LoadedSpecs loaded,
                       Apply({.files = {{"s.textproto", OneSpec("ours")}}}));
  EXPECT_EQ(loaded.library.site, 1U);
  ASSERT_NE(library_, nullptr);
  EXPECT_NE(library_->Find("ours"), nullptr);
  EXPECT_FALSE(fs::exists(folders_.site + "/old.textproto"));
  const std::string sha256 = loaded.library.sha256;
  ASSERT_OK_AND_ASSIGN(const LoadedSpecs again, Reload());
  EXPECT_EQ(again.library.sha256, sha256) << "the files are what was loaded";
}

TEST_F(SpecKeeperTest, ApplyOfAnErrorChangesNothing) {
  const auto refused = Apply({.files = {{"s.textproto", OneSpec("shipped")}}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("s.textproto:1:8: error: id \"shipped\" is already used"));
  EXPECT_FALSE(fs::exists(folders_.site));
  EXPECT_EQ(keeper_->view().refused, "") << "what is loaded is what the folders hold";
  EXPECT_EQ(exchanges_, 0);
}

TEST_F(SpecKeeperTest, ApplyMayOnlyCheck) {
  ASSERT_OK_AND_ASSIGN(
      const LoadedSpecs checked,
      Apply({.files = {{"s.textproto", "override { spec: \"shipped\" }"}}, .validate_only = true}));
  ASSERT_THAT(checked.warnings, SizeIs(1));
  EXPECT_THAT(checked.warnings[0], EndsWith("changes nothing"));
  EXPECT_NE(checked.library.sha256, first_sha256_);
  EXPECT_FALSE(fs::exists(folders_.site));
  EXPECT_EQ(keeper_->view().sha256, first_sha256_);
  EXPECT_EQ(exchanges_, 0);
}

TEST_F(SpecKeeperTest, ApplyMayAskForWhatIsLoaded) {
  EXPECT_EQ(Apply({.files = {}, .if_sha256 = std::string(64, '0')}).status().code(),
            absl::StatusCode::kAborted);
  ASSERT_OK(Apply({.files = {{"s.textproto", OneSpec("ours")}}, .if_sha256 = first_sha256_}));
  EXPECT_EQ(exchanges_, 1);
}

TEST_F(SpecKeeperTest, WhereTheFolderCannotBeWrittenNothingIsLoaded) {
  fs::create_directories(folders_.site + "/s.textproto/in-the-way");
  // It can't be read either, so look at it from a library without it.
  const auto refused = Apply({.files = {{"s.textproto", OneSpec("ours")}}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(exchanges_, 0);
}

TEST_F(SpecKeeperTest, ManyAskAndEachIsAnsweredInOrder) {
  std::vector<std::optional<absl::StatusOr<LoadedSpecs>>> answers(6);
  for (size_t i = 0; i < answers.size(); ++i) {
    if (i % 3 == 2) {
      keeper_->Apply({.files = {{"s.textproto", OneSpec("ours", static_cast<int>(i))}}},
                     Into(answers[i]));
    } else {
      keeper_->Reload(Into(answers[i]));
    }
  }
  ASSERT_TRUE(TickUntil([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); });
  }));
  for (const auto& answer : answers) ASSERT_OK(*answer);
  EXPECT_EQ((*answers[1])->library.site, 0U);
  EXPECT_EQ((*answers[3])->library.sha256, (*answers[2])->library.sha256);
  EXPECT_EQ(library_->Find("ours")->weight, 5);
}

TEST_F(SpecKeeperTest, TheEndAnswersWhoWaitsAndWhoComes) {
  std::optional<absl::StatusOr<LoadedSpecs>> running, waiting, late;
  keeper_->Reload(Into(running));
  keeper_->OnTick(SystemClock().Now());
  keeper_->Apply({}, Into(waiting));
  keeper_->Close();
  keeper_->Reload(Into(late));
  for (const auto* answer : {&running, &waiting, &late}) {
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((*answer)->status().code(), absl::StatusCode::kUnavailable);
  }
}

}  // namespace
}  // namespace kvmsentry
