#include "sensor/cli/cannot_reach.h"

#include <cerrno>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

std::string Says(const std::string& path, int error) {
  return std::string(CannotReach(path, error).message());
}

TEST(CannotReach, NamesTheGroupToJoin) {
  const TempDir dir = TempDir::Make().value();
  const std::string socket = dir / "s.sock";
  std::ofstream(socket) << "";
  const gid_t group = geteuid() == 0 ? 100 : getegid();  // "users" on every Debian
  ASSERT_EQ(chown(socket.c_str(), static_cast<uid_t>(-1), group), 0);
  const ::group* entry = getgrgid(group);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(Says(socket, EACCES),
            absl::StrCat("cannot reach kvmsentryd at ", socket,
                         ": Permission denied; only root and the group ", entry->gr_name,
                         " may; \"adduser $USER ", entry->gr_name,
                         "\" adds you, from your next login on"));
  // Of a folder that may not be entered, its own.
  ASSERT_EQ(chown(dir.path().c_str(), static_cast<uid_t>(-1), group), 0);
  EXPECT_THAT(Says(dir / "unknown.sock", EACCES), HasSubstr(entry->gr_name));
  EXPECT_EQ(CannotReach(socket, EACCES).code(), absl::StatusCode::kPermissionDenied);
}

TEST(CannotReach, SaysWhatToCheck) {
  EXPECT_THAT(Says("/none/s", ENOENT), HasSubstr("is it running? \"systemctl status kvmsentry\""));
  EXPECT_THAT(Says("/none/s", ECONNREFUSED), HasSubstr("journalctl -u kvmsentry"));
  EXPECT_THAT(Says("/none/s", EACCES), HasSubstr("ask who runs kvmsentryd"));
  EXPECT_EQ(CannotReach("/none/s", ENOENT).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace kvmsentry
