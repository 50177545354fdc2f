#include "sensor/given/unix_sockets.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/base/fd.h"
#include "sensor/inventory/files.h"
#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ParseUnixSocketsTest, OnlyThoseWithNames) {
  EXPECT_THAT(
      ParseUnixSockets("Num       RefCount Protocol Flags    Type St Inode Path\n"
                       "0000000000000000: 00000002 00000000 00010000 0001 01 18061 /run/a b.sock\n"
                       "0000000000000000: 00000003 00000000 00000000 0001 03 18062\n"
                       "0000000000000000: 00000002 00000000 00000000 0002 01   7 @abstract\n"
                       "0000000000000000: 0000\n\n"),
      UnorderedElementsAre(Pair(18061, "/run/a b.sock"), Pair(7, "@abstract")));
}

class SocketListsTest : public ::testing::Test {
 protected:
  // The list that the kernel shows in the directory of process PID.
  void SetList(int pid, int inode, const std::string& path) {
    tree_.Write(absl::StrCat(pid, "/net/unix"),
                absl::StrCat("0: 00000002 00000000 00010000 0001 01 ", inode, " ", path, "\n"));
  }

  UnixSockets Of(int pid) {
    const Fd directory = OpenDirectory(absl::StrCat(tree_.root(), "/", pid)).value();
    return lists_.Of(directory.get());
  }

  FakeTree tree_;
  SocketLists lists_;
};

TEST_F(SocketListsTest, OneOfEachNamespaceIsReadOnceARound) {
  tree_.Write("7/ns/net", "");
  tree_.Link("8/ns/net", tree_.root() + "/7/ns/net");
  tree_.Write("9/ns/net", "");
  SetList(7, 70, "/run/a.sock");
  SetList(8, 80, "/run/b.sock");
  SetList(9, 90, "/run/c.sock");
  EXPECT_THAT(Of(7), ElementsAre(Pair(70, "/run/a.sock")));
  EXPECT_THAT(Of(8), ElementsAre(Pair(70, "/run/a.sock")));
  EXPECT_THAT(Of(9), ElementsAre(Pair(90, "/run/c.sock")));
  SetList(7, 71, "/run/d.sock");
  EXPECT_THAT(Of(7), ElementsAre(Pair(70, "/run/a.sock")));
  lists_.Forget();
  EXPECT_THAT(Of(7), ElementsAre(Pair(71, "/run/d.sock")));
}

TEST_F(SocketListsTest, IsReadForEachProcessWhoseNamespaceIsNotKnown) {
  SetList(7, 70, "/run/a.sock");
  SetList(8, 80, "/run/b.sock");
  EXPECT_THAT(Of(7), ElementsAre(Pair(70, "/run/a.sock")));
  EXPECT_THAT(Of(8), ElementsAre(Pair(80, "/run/b.sock")));
  tree_.Write("9/stat", "");
  EXPECT_THAT(Of(9), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
