#include "sensor/daemon/folder_watch.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

class FolderWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dir_, TempDir::Make());
    folder_ = *dir_ / "specs.d";
  }
  void Open() {
    watch_.emplace(std::vector{folder_});
    watch_->Armed(watch_->Arm());
    ASSERT_FALSE(watch_->TakeChanged());
  }
  void Write(const std::string& name) const { std::ofstream(folder_ + "/" + name) << "text"; }

  std::optional<TempDir> dir_;
  std::string folder_;
  std::optional<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, NoticesWhatIsWrittenMovedLinkedAndRemoved) {
  fs::create_directory(folder_);
  Open();
  if (HasFatalFailure()) return;
  Write("a.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
  EXPECT_FALSE(watch_->TakeChanged()) << "told once";
  fs::rename(folder_ + "/a.textproto", folder_ + "/b.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
  fs::create_symlink("/nowhere", folder_ + "/c.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
  fs::remove(folder_ + "/b.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
}

TEST_F(FolderWatchTest, WhatIsNoSpecFileIsNothingToIt) {
  fs::create_directory(folder_);
  Open();
  if (HasFatalFailure()) return;
  for (const char* name : {"README", ".a.textproto.swp", ".#a.textproto", "a.textproto~", "4913",
                           ".new-abc", "a.textproto.bak"}) {
    Write(name);
  }
  EXPECT_FALSE(watch_->TakeChanged());
  // As an editor saves: only the last step is one.
  fs::rename(folder_ + "/4913", folder_ + "/a.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
}

// As kubelet exchanges a ConfigMap: ..data is a link that another one replaces.
TEST_F(FolderWatchTest, NoticesTheExchangeOfAConfigMap) {
  fs::create_directories(folder_ + "/..1");
  fs::create_directories(folder_ + "/..2");
  Write("..1/a.textproto");
  Write("..2/a.textproto");
  fs::create_directory_symlink("..1", folder_ + "/..data");
  fs::create_symlink("..data/a.textproto", folder_ + "/a.textproto");
  Open();
  if (HasFatalFailure()) return;
  fs::create_directory_symlink("..2", folder_ + "/..data_tmp");
  EXPECT_FALSE(watch_->TakeChanged());
  fs::rename(folder_ + "/..data_tmp", folder_ + "/..data");
  EXPECT_TRUE(watch_->TakeChanged());
}

// Whoever goes by it then reads the folders now and then.
TEST_F(FolderWatchTest, ItSaysWhenItSeesNothing) {
  fs::create_directory(folder_);
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  watch_.emplace(std::vector{folder_});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_TRUE(watch_->Armed(watch_->Arm()));
  EXPECT_TRUE(watch_->blind());
  EXPECT_FALSE(watch_->TakeChanged());
  watch_.emplace(std::vector{folder_});
  watch_->Armed(watch_->Arm());
  EXPECT_FALSE(watch_->blind());
}

TEST_F(FolderWatchTest, AFolderMayComeLaterAndBeReplaced) {
  Open();
  if (HasFatalFailure()) return;
  EXPECT_FALSE(watch_->Armed(watch_->Arm())) << "there is still none";
  fs::create_directory(folder_);
  EXPECT_TRUE(watch_->Armed(watch_->Arm()));
  EXPECT_FALSE(watch_->Armed(watch_->Arm())) << "the same";
  fs::rename(folder_, folder_ + ".old");
  fs::create_directory(folder_);
  (void)watch_->TakeChanged();
  EXPECT_TRUE(watch_->lost());
  EXPECT_TRUE(watch_->Armed(watch_->Arm()));
  EXPECT_FALSE(watch_->lost());
  Write("a.textproto");
  EXPECT_TRUE(watch_->TakeChanged());
}

}  // namespace
}  // namespace kvmsentry
