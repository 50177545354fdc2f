#include "sensor/rpc/access/unix_peer.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

TEST(UnixPeer, TheKernelSaysWhoItIs) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]), other(ends[1]);
  ASSERT_OK_AND_ASSIGN(const UnixPeer peer, ReadUnixPeer(one.get()));
  EXPECT_EQ(peer.uid, geteuid());
  EXPECT_EQ(peer.gid, getegid());
  std::vector<gid_t> groups(static_cast<size_t>(getgroups(0, nullptr)));
  getgroups(static_cast<int>(groups.size()), groups.data());
  EXPECT_THAT(peer.groups, UnorderedElementsAreArray(groups));
}

TEST(UnixPeer, WhatIsNoSocketHasNoPeer) { EXPECT_FALSE(ReadUnixPeer(STDIN_FILENO).ok()); }

Role RoleOf(const UnixPeer& peer, const UnixAdmins& admins) { return CallerOf(peer, admins).role; }

TEST(UnixPeer, RootAndWhoIsNamedIsAnAdminAndAllOthersAreViewers) {
  const UnixAdmins admins{.uids = {1000}, .gids = {27}};
  EXPECT_EQ(RoleOf({.uid = 0, .gid = 5, .groups = {}}, {}), Role::kAdmin);
  EXPECT_EQ(RoleOf({.uid = 1000, .gid = 5, .groups = {}}, {}), Role::kViewer);
  EXPECT_EQ(RoleOf({.uid = 1000, .gid = 5, .groups = {}}, admins), Role::kAdmin);
  EXPECT_EQ(RoleOf({.uid = 1001, .gid = 27, .groups = {}}, admins), Role::kAdmin);
  EXPECT_EQ(RoleOf({.uid = 1001, .gid = 5, .groups = {4, 27}}, admins), Role::kAdmin);
  EXPECT_EQ(RoleOf({.uid = 1001, .gid = 5, .groups = {4}}, admins), Role::kViewer);
  // The group root is not root, and a number is not the other kind's.
  EXPECT_EQ(RoleOf({.uid = 1001, .gid = 0, .groups = {0}}, admins), Role::kViewer);
  EXPECT_EQ(RoleOf({.uid = 27, .gid = 1000, .groups = {1000}}, admins), Role::kViewer);
}

TEST(UnixAdmins, AreFoundByNameOrNumber) {
  ASSERT_OK_AND_ASSIGN(const UnixAdmins admins, FindUnixAdmins({"root", "1234"}, {"root", "77"}));
  EXPECT_THAT(admins.uids, ElementsAre(0U, 1234U));
  EXPECT_THAT(admins.gids, ElementsAre(0U, 77U));
}

TEST(UnixAdmins, WhoDoesNotExistOrMayBeAnybodyIsRefused) {
  for (const auto& [users, groups, why] :
       std::vector<std::tuple<std::vector<std::string>, std::vector<std::string>, std::string>>{
           {{"no-such-user"}, {}, "--admin-user no-such-user: this host has no user"},
           {{}, {"no\nsuch"}, "--admin-group no\\x0asuch: this host has no group"},
           {{"65534"}, {}, "--admin-user 65534: 65534 stands for"},
           {{}, {"65534"}, "--admin-group 65534: 65534 stands for"},
           {{""}, {}, "this host has no user"}}) {
    const auto found = FindUnixAdmins(users, groups);
    EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(why));
  }
}

}  // namespace
}  // namespace kvmsentry
