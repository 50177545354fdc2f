#include "sensor/rpc/socket_place.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sensor/rpc/connect.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A listener at PATH, as gRPC makes one.
Fd Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(fd.get(), 4), 0);
  return fd;
}

mode_t ModeOf(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

TEST(SocketPlace, TheSocketAppearsWithItsModeAndInAFolderOfItsOwn) {
  const TempDir dir = TempDir::Make().value();
  const std::string path = dir / "run/s.sock";
  const mode_t old_umask = umask(077);
  const auto place = SocketPlace::Prepare(path);
  ASSERT_TRUE(place.ok()) << place.status();
  const Fd listener = Listen((*place)->bind_path());
  umask(old_umask);
  EXPECT_EQ(ModeOf(std::filesystem::path((*place)->bind_path()).parent_path()), 0700U);
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE((*place)->Publish().ok());
  EXPECT_EQ(ModeOf(path), 0660U);
  EXPECT_EQ(ModeOf(dir / "run"), 0750U);
  EXPECT_TRUE(ConnectUnix(path));
}

TEST(SocketPlace, LeavesNothingBehind) {
  const TempDir dir = TempDir::Make().value();
  {
    const auto place = SocketPlace::Prepare(dir / "s.sock");
    ASSERT_TRUE(place.ok());
    const Fd listener = Listen((*place)->bind_path());
    ASSERT_TRUE((*place)->Publish().ok());
  }
  { const auto never_published = SocketPlace::Prepare(dir / "s.sock"); }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(SocketPlace, LeavesASocketThatIsNotItsOwn) {
  const TempDir dir = TempDir::Make().value();
  const std::string path = dir / "s.sock";
  auto place = SocketPlace::Prepare(path);
  ASSERT_TRUE(place.ok());
  const Fd listener = Listen((*place)->bind_path());
  ASSERT_TRUE((*place)->Publish().ok());
  std::filesystem::remove(path);
  const Fd successor = Listen(path);
  place->reset();
  EXPECT_TRUE(ConnectUnix(path));
}

TEST(SocketPlace, TakesTheFolderAsItIs) {
  const TempDir dir = TempDir::Make().value();
  std::filesystem::create_directory(dir / "run");
  std::filesystem::permissions(dir / "run", std::filesystem::perms(0711));
  ASSERT_TRUE(SocketPlace::Prepare(dir / "run/s.sock").ok());
  EXPECT_EQ(ModeOf(dir / "run"), 0711U);
}

TEST(SocketPlace, ReplacesAStaleSocket) {
  const TempDir dir = TempDir::Make().value();
  const std::string path = dir / "s.sock";
  Listen(path).reset();
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto place = SocketPlace::Prepare(path);
  ASSERT_TRUE(place.ok()) << place.status();
  const Fd listener = Listen((*place)->bind_path());
  ASSERT_TRUE((*place)->Publish().ok());
  EXPECT_TRUE(ConnectUnix(path));
}

TEST(SocketPlace, RemovesWhatTheKilledLeftAndNothingElse) {
  const TempDir dir = TempDir::Make().value();
  const auto private_dir = [&](const std::string& name) {
    std::filesystem::create_directory(dir / name);
    return dir / name;
  };
  Listen(private_dir(".starting-AbC123") + "/s").reset();
  private_dir(".starting-empty1");
  std::ofstream(private_dir(".starting-others") + "/precious") << "data";
  std::ofstream(dir / ".starting-a_file") << "data";
  private_dir(".starting-of-a-longer-name");
  std::filesystem::create_directory_symlink(dir / ".starting-others", dir / ".starting-a_link");
  { const auto place = SocketPlace::Prepare(dir / "s.sock"); }
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    left.push_back(entry.path().filename());
  }
  EXPECT_THAT(left, UnorderedElementsAre(".starting-others", ".starting-a_file", ".starting-a_link",
                                         ".starting-of-a-longer-name"));
  EXPECT_TRUE(std::filesystem::exists(dir / ".starting-others/precious"));
}

TEST(SocketPlace, LeavesThePrivateFolderOfOneThatIsStarting) {
  const TempDir dir = TempDir::Make().value();
  const auto first = SocketPlace::Prepare(dir / "s.sock");
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(SocketPlace::Prepare(dir / "other.sock").ok());
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path((*first)->bind_path()).parent_path()));
}

TEST(SocketPlace, RefusesAPathWhereAnotherListens) {
  const TempDir dir = TempDir::Make().value();
  const std::string path = dir / "s.sock";
  const Fd other = Listen(path);
  const absl::Status status = SocketPlace::Prepare(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "another kvmsentryd is listening on " + path + "; stop it first");
  EXPECT_TRUE(ConnectUnix(path));
}

TEST(SocketPlace, OnlyOneOfTwoThatStartAtOnceGoesOn) {
  const TempDir dir = TempDir::Make().value();
  const auto first = SocketPlace::Prepare(dir / "s.sock");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(SocketPlace::Prepare(dir / "s.sock").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SocketPlace, NeverTouchesWhatIsNoSocket) {
  const TempDir dir = TempDir::Make().value();
  const std::string path = dir / "precious";
  std::ofstream(path) << "data";
  const absl::Status status = SocketPlace::Prepare(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is no socket"));
  EXPECT_EQ(std::filesystem::file_size(path), 4U);

  // One that comes while the server starts is not overwritten either.
  const auto place = SocketPlace::Prepare(dir / "late");
  ASSERT_TRUE(place.ok());
  const Fd listener = Listen((*place)->bind_path());
  std::ofstream(dir / "late") << "data";
  EXPECT_FALSE((*place)->Publish().ok());
  EXPECT_EQ(std::filesystem::file_size(dir / "late"), 4U);
}

TEST(SocketPlace, SaysWhatIsWrongWithAPath) {
  for (const std::string path : {"", "s.sock", "/", "/run/"}) {
    EXPECT_EQ(SocketPlace::Prepare(path).status().code(), absl::StatusCode::kInvalidArgument)
        << path;
  }
  const std::string too_long = "/tmp/" + std::string(110, 'x');
  EXPECT_THAT(std::string(SocketPlace::Prepare(too_long).status().message()),
              HasSubstr("too long"));
  EXPECT_EQ(SocketPlace::Prepare("/nonexistent/folder/s.sock").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace kvmsentry
