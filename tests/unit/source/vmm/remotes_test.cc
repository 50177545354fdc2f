#include "sensor/source/vmm/remotes.h"

#include <gmock/gmock.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Given WithDisk(const char* path, FactOrigin origin = FactOrigin::kArgv) {
  Given given;
  given.disks.emplace_back().path = {path, origin};
  return given;
}

TEST(RemotesTest, UrlsOfDisksSayWhere) {
  EXPECT_THAT(RemotesOf(WithDisk("nbd://192.0.2.1/disk")), ElementsAre("192.0.2.1:10809"));
  EXPECT_THAT(RemotesOf(WithDisk("nbd://192.0.2.1:4000")), ElementsAre("192.0.2.1:4000"));
  EXPECT_THAT(RemotesOf(WithDisk("nbd:192.0.2.1:4000:disk")), ElementsAre("192.0.2.1:4000"));
  EXPECT_THAT(RemotesOf(WithDisk("iscsi://[2001:DB8::1]/iqn.2001:x/0")),
              ElementsAre("[2001:db8::1]:3260"));
  EXPECT_THAT(RemotesOf(WithDisk("ssh://me@[2001:db8::1]:2222/disk")),
              ElementsAre("[2001:db8::1]:2222"));
  EXPECT_THAT(RemotesOf(WithDisk("nbd://localhost")), ElementsAre("127.0.0.1:10809"));
}

TEST(RemotesTest, OthersHaveNone) {
  for (const char* path :
       {"/srv/a.img", "nbd:unix:/run/nbd.sock:disk", "nbd://unix/x", "rbd:pool/image",
        "nvme://0000:01:00.0/1", "nbd", "nbd:", "nbd://", "nbd://192.0.2.1:x/", "tcp:192.0.2.1",
        "nbd://192.0.2.1:70000", "nbd://[2001:db8::1", "", ":", "https://images.example.org/a:b",
        "nbd:2001:db8::1:10809:disk", "iscsi://3260/x"}) {
    EXPECT_THAT(RemotesOf(WithDisk(path)), IsEmpty()) << path;
  }
}

TEST(RemotesTest, BackingImagesAndInterfacesHaveThemToo) {
  Given given = WithDisk("/srv/a.qcow2");
  given.disks.front().backing = {{"/srv/b.qcow2", "nbd://192.0.2.1/b"}, FactOrigin::kArgv};
  given.interfaces.emplace_back().socket = {"connect:192.0.2.2:5000", FactOrigin::kArgv};
  EXPECT_THAT(RemotesOf(given), ElementsAre("192.0.2.1:10809", "192.0.2.2:5000"));
}

TEST(RemotesTest, WhatTheVmmOpenedByItselfIsNoLeave) {
  EXPECT_THAT(RemotesOf(WithDisk("nbd://192.0.2.1/disk", FactOrigin::kOpenFile)), IsEmpty());
  EXPECT_THAT(RemotesOf(WithDisk("nbd://192.0.2.1/disk", FactOrigin::kLibvirt)), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
