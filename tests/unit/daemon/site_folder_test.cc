#include "sensor/daemon/site_folder.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class SiteFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make());
    folder_ = *dir_ / "specs.d";
  }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << text;
  }
  // Every file and folder in it.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      contents[entry.path().filename()] = text.str();
    }
    return contents;
  }

  std::optional<TempDir> dir_;
  std::string folder_;
};

TEST_F(SiteFolderTest, HoldsTheFilesAndNoOtherSpecFile) {
  Write("old.textproto", "old");
  Write("a.textproto", "before");
  Write("README", "stays");
  ASSERT_OK(WriteSiteFolder(folder_, {{"a.textproto", "A"}, {"b.textproto", "B"}}));
  EXPECT_THAT(Contents(), ElementsAre(Pair("README", "stays"), Pair("a.textproto", "A"),
                                      Pair("b.textproto", "B")));
  EXPECT_EQ(fs::status(folder_ + "/a.textproto").permissions(), fs::perms(0644));
  ASSERT_OK(WriteSiteFolder(folder_, {}));
  EXPECT_THAT(Contents(), ElementsAre(Pair("README", "stays")));
}

TEST_F(SiteFolderTest, IsMadeWhereItIsMissing) {
  ASSERT_OK(WriteSiteFolder(folder_, {{"a.textproto", "A"}}));
  EXPECT_THAT(Contents(), ElementsAre(Pair("a.textproto", "A")));
}

// Killed before the files counted.
TEST_F(SiteFolderTest, WhatWasNotCommittedIsForgotten) {
  Write("a.textproto", "old");
  Write(".new-x1y2z3/a.textproto", "new");
  ASSERT_OK(FinishSiteWrite(folder_));
  EXPECT_THAT(Contents(), ElementsAre(Pair("a.textproto", "old")));
}

// Killed after that, at any step.
TEST_F(SiteFolderTest, WhatWasCommittedIsCompleted) {
  Write("old.textproto", "old");
  Write("a.textproto", "moved already");
  Write(".applying/b.textproto", "B");
  Write(".applying/.names", "a.textproto\nb.textproto\n");
  ASSERT_OK(FinishSiteWrite(folder_));
  EXPECT_THAT(Contents(),
              ElementsAre(Pair("a.textproto", "moved already"), Pair("b.textproto", "B")));
  fs::create_directory(folder_ + "/.applying");
  ASSERT_OK(FinishSiteWrite(folder_));
  EXPECT_THAT(Contents(),
              ElementsAre(Pair("a.textproto", "moved already"), Pair("b.textproto", "B")));
}

TEST_F(SiteFolderTest, WhatCannotBeWrittenIsAPreconditionWithTheRemedy) {
  const auto problem = [](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(problem(WriteSiteFolder("/proc/specs.d", {})), HasSubstr("ReadWritePaths="));
  EXPECT_THAT(problem(WriteSiteFolder("", {})), HasSubstr("--site-specs DIR"));
  Write("a.textproto/file", "");
  EXPECT_THAT(problem(WriteSiteFolder(folder_, {{"a.textproto", "A"}})), HasSubstr("is a folder"));
  fs::create_directory_symlink("..1", folder_ + "/..data");
  EXPECT_THAT(problem(WriteSiteFolder(folder_, {})), HasSubstr("ConfigMap"));
}

TEST_F(SiteFolderTest, AMissingFolderHasNothingToFinish) { ASSERT_OK(FinishSiteWrite(folder_)); }

}  // namespace
}  // namespace kvmsentry
