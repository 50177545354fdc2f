#include "sensor/given/process_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/given/helpers.h"
#include "sensor/inventory/files.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/given/fake_process.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ParseRightsTest, WhatTheProcessMayDo) {
  const ProcessRights rights = ParseRights(
      "Name:\tqemu\nUid:\t1000\t107\t107\t107\nNSpid:\t4321\t12\nCapEff:\t0000000000003000\n"
      "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  EXPECT_THAT(rights.uid, IsKnown(107U, FactOrigin::kProcess));
  EXPECT_THAT(rights.capabilities, IsKnown("0x3000", FactOrigin::kProcess));
  EXPECT_THAT(rights.no_new_privs, IsKnown(true, FactOrigin::kProcess));
  EXPECT_THAT(rights.filtered, IsKnown(true, FactOrigin::kProcess));
  EXPECT_EQ(rights.inner_pid, 12);
  EXPECT_THAT(ParseRights("").uid, IsUnknown());
}

TEST(ReadLabelTest, IsWithoutItsEnd) {
  FakeProcess process;
  const Fd directory = OpenDirectory(process.folder()).value();
  EXPECT_THAT(ReadLabel(directory.get()), IsUnknown());
  process.tree().Write("7/attr/current", "libvirt-4a (enforce)\n");
  EXPECT_THAT(ReadLabel(directory.get()), IsKnown("libvirt-4a (enforce)", FactOrigin::kProcess));
  process.tree().Write("7/attr/current", std::string("system_u:object_r\0", 18));
  EXPECT_THAT(ReadLabel(directory.get()), IsKnown("system_u:object_r", FactOrigin::kProcess));
}

TEST(ReadNamespacesTest, AreThoseWithANumber) {
  FakeProcess process;
  const Fd directory = OpenDirectory(process.folder()).value();
  EXPECT_THAT(ReadNamespaces(directory.get()), IsUnknown());
  process.tree().Link("7/ns/mnt", "mnt:[4026531841]");
  process.tree().Link("7/ns/net", "net:[12x]");
  process.tree().Link("7/ns/uts", "ipc:[5]");
  EXPECT_THAT(*ReadNamespaces(directory.get()).value, ElementsAre("mnt 4026531841"));
}

TEST(MountTypeTest, IsFoundByTheMount) {
  constexpr char kMounts[] =
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
      "23 22 0:5 / /a\\040b rw - fuse.sshfs x rw\n";
  EXPECT_EQ(MountType(kMounts, 22), "ext4");
  EXPECT_EQ(MountType(kMounts, 23), "fuse.sshfs");
  EXPECT_EQ(MountType(kMounts, 24), "");
  EXPECT_TRUE(IsLocal("ext4"));
  for (const char* type : {"fuse", "fuse.sshfs", "nfs4", "9p", "cifs", "proc", ""}) {
    EXPECT_FALSE(IsLocal(type)) << type;
  }
}

class BelowRootTest : public ::testing::Test {
 protected:
  BelowRootTest() {
    process_.AddMounts("ext4");
    directory_ = OpenDirectory(process_.folder()).value();
  }
  absl::StatusOr<std::string> Read(const std::string& path) {
    return ProcessRoot(directory_.get()).Read(path, 100);
  }

  FakeProcess process_;
  Fd directory_;
};

TEST_F(BelowRootTest, FilesAreThoseOfTheProcess) {
  process_.tree().Write("below/etc/a", "content");
  process_.tree().Write("below/work/b", "relative");
  EXPECT_EQ(Read("/etc/a").value(), "content");
  EXPECT_EQ(Read("b").value(), "relative");
  EXPECT_TRUE(absl::IsNotFound(Read("/etc/none").status()));
  EXPECT_FALSE(Read("").ok());
}

// A link, whatever it says, stays below the root.
TEST_F(BelowRootTest, LinksLeadNowhereElse) {
  process_.tree().Write("secret", "of the host");
  process_.tree().Write("below/etc/passwd", "of the process");
  process_.tree().Link("below/absolute", "/etc/passwd");
  process_.tree().Link("below/up", "../../../../../../etc/passwd");
  process_.tree().Link("below/out", "../secret");
  EXPECT_EQ(Read("/absolute").value(), "of the process");
  EXPECT_EQ(Read("/up").value(), "of the process");
  EXPECT_FALSE(Read("/out").ok());
  EXPECT_FALSE(Read("/../secret").ok());
  process_.tree().Link("below/loop", "loop");
  EXPECT_FALSE(Read("/loop").ok());
}

TEST_F(BelowRootTest, OnlyRegularFilesAreOpened) {
  process_.tree().Write("below/x", "");
  ASSERT_EQ(mkfifo((process_.tree().root() + "/below/fifo").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(Read("/fifo").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Read("/").status()));
}

TEST_F(BelowRootTest, WhatAProcessMayServeIsLeftAlone) {
  process_.tree().Write("below/etc/a", "content");
  process_.AddMounts("fuse.own");
  EXPECT_EQ(Read("/etc/a").status().message(), "it lies on fuse.own");
}

TEST(SpaceOfTest, IsThatOfTheFileWhichTheWalkMet) {
  const TempDir folder = TempDir::Make().value();
  const Fd file(open((folder / "image").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  ASSERT_EQ(ftruncate(file.get(), 1 << 20), 0);
  struct stat stat {};
  ASSERT_EQ(fstat(file.get(), &stat), 0);
  Device image;
  image.fd = static_cast<uint32_t>(file.get());
  image.major = major(stat.st_dev);
  image.minor = minor(stat.st_dev);
  image.inode = stat.st_ino;
  const Fd process = OpenDirectory("/proc/self").value();
  const Fd first = OpenDirectory("/proc/1").value();
  const std::string host_mounts = ReadMounts(first.get()).value();
  ProcessRoot root(process.get(), host_mounts);
  const absl::StatusOr<ImageSpace> space = root.SpaceOf(image, true);
  ASSERT_TRUE(space.ok()) << space.status();
  EXPECT_EQ(space->holes, 1U << 20);
  EXPECT_GT(space->left, 0U);
  ++image.inode;
  EXPECT_TRUE(absl::IsFailedPrecondition(root.SpaceOf(image, true).status()));
}

TEST(ReadFileLinksTest, AreInOrderOfTheirDescriptors) {
  FakeProcess process;
  process.tree().Link("7/fd/10", "/dev/kvm");
  process.tree().Link("7/fd/9", "socket:[5]");
  const Fd directory = OpenDirectory(process.folder()).value();
  EXPECT_THAT(ReadFileLinks(directory.get()),
              ElementsAre(FileLink{9, "socket:[5]"}, FileLink{10, "/dev/kvm"}));
  EXPECT_THAT(ReadFileLinks(-1), ::testing::IsEmpty());
}

TEST(HelpersTest, BelongByTheirSocketsOrTheirParent) {
  FakeProcess vmm;
  const auto add = [&](int pid, const std::string& comm, int parent, const std::string& args) {
    const std::string folder = absl::StrCat(pid, "/");
    vmm.tree().Write(folder + "comm", comm + "\n");
    vmm.tree().Write(folder + "stat", absl::StrCat(pid, " (a) b) S ", parent,
                                                   " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711"));
    vmm.tree().Write(folder + "cmdline", args);
  };
  using namespace std::string_literals;
  add(20, "virtiofsd", 1, "virtiofsd\0--shared-dir\0/srv/x\0--fd=38\0"s);
  vmm.tree().Link("20/fd/38", "socket:[77]");
  add(21, "swtpm", 1, "swtpm\0socket\0--ctrl\0type=unixio,path=/run/tpm.sock,mode=0600\0"s);
  add(22, "passt.avx2", 7, "passt\0"s);
  add(23, "virtiofsd", 1, "virtiofsd\0--socket-path=/run/other.sock\0"s);
  add(24, "bash", 7, "/run/tpm.sock\0"s);
  HelperFinder finder(vmm.tree().root());
  Given given;
  given::SharedFolder& folder = given.folders.emplace_back();
  folder.socket = {"unix:/run/fs.sock", FactOrigin::kArgv};
  given.devices.emplace_back().place = {"unix:/run/tpm.sock", FactOrigin::kArgv};
  Found found;
  found.socket_of = [](uint64_t inode) { return inode == 77 ? "/run/fs.sock" : ""; };
  MergeHelpers(finder.All(), 7, found, &given);
  std::vector<std::pair<std::string, std::string>> helpers;
  for (const given::Helper& helper : given.helpers) {
    helpers.emplace_back(absl::StrCat(helper.id, " ", *helper.pid.value), *helper.reason.value);
  }
  EXPECT_THAT(helpers, UnorderedElementsAre(Pair("virtiofsd 20", "its socket /run/fs.sock"),
                                            Pair("swtpm 21", "its socket /run/tpm.sock"),
                                            Pair("passt 22", "started by the VMM")));
  EXPECT_THAT(given.folders[0].path, IsKnown("/srv/x", FactOrigin::kHelper));
}

TEST(HelpersTest, ChildrenHaveTheirNamesAndBeginnings) {
  FakeProcess vmm;
  vmm.tree().Write("24/stat", "24 (block device) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0");
  vmm.tree().Write("7/task/7/children", "24 25 ");  // the second has gone since
  const HelperFinder finder(vmm.tree().root());
  const std::vector<given::Helper> children = finder.ChildrenOf(7);
  ASSERT_EQ(children.size(), 1U);
  EXPECT_EQ(children[0].id, "block device");
  EXPECT_EQ(*children[0].pid.value, 24U);
  EXPECT_EQ(children[0].start_ticks, 4711U);
  EXPECT_THAT(finder.ChildrenOf(8), ::testing::IsEmpty());
}

TEST(HelpersTest, WhatVirtiofsdShares) {
  EXPECT_EQ(VirtiofsdFolder(Args{"v", "--shared-dir=/a"}), "/a");
  EXPECT_EQ(VirtiofsdFolder(Args{"v", "-o", "cache=none,source=/b"}), "/b");
  EXPECT_EQ(VirtiofsdFolder(Args{"v", "--shared-dir"}), "");
}

}  // namespace
}  // namespace kvmsentry
