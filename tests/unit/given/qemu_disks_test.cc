// Disks on QEMU's command line. The forms of libvirt are those of its own expected command lines,
// tests/qemuxmlconfdata/*.args.
#include "sensor/given/qemu.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Paths = std::vector<std::string>;

TEST(QemuDisksTest, DriveWithItsDevice) {
  const Given given = GivenByQemu(
      Args{"-drive", "file=/vm/a,,b.qcow2,format=qcow2,if=none,id=d0,cache=none,readonly=on",
           "-device", "virtio-blk-pci,drive=d0,id=vda,share-rw=on"});
  ASSERT_THAT(given.disks, SizeIs(1));
  const given::Disk& disk = given.disks[0];
  EXPECT_EQ(disk.id, "vda");
  EXPECT_THAT(disk.path, IsFromArgv("/vm/a,b.qcow2"));
  EXPECT_THAT(disk.format, IsFromArgv("qcow2"));
  EXPECT_THAT(disk.cache, IsFromArgv("none"));
  EXPECT_THAT(disk.read_only, IsFromArgv(true));
  EXPECT_THAT(disk.shared, IsFromArgv(true));
  EXPECT_THAT(disk.backing, IsUnknown());  // the header of the image says it
}

TEST(QemuDisksTest, ShortForms) {
  const Given given =
      GivenByQemu(Args{"-hda", "/a,b.img", "-cdrom", "/cd.iso", "/plain.img", "-drive",
                       "/d.img,format=raw,if=virtio", "-drive", "if=none,media=cdrom", "-S"});
  ASSERT_THAT(given.disks, SizeIs(4));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("/a,b.img"));
  EXPECT_THAT(given.disks[0].format, IsUnknown());
  EXPECT_THAT(given.disks[0].read_only, IsDefault(false));
  EXPECT_THAT(given.disks[1].read_only, IsDefault(true));
  EXPECT_THAT(given.disks[2].path, IsFromArgv("/plain.img"));
  EXPECT_THAT(given.disks[3].path, IsFromArgv("/d.img"));
  EXPECT_THAT(given.disks[3].backing, IsFromArgv(Paths()));
}

// disk-backing-chains-noindex.x86_64-latest.args, shortened.
TEST(QemuDisksTest, LibvirtsBackingChain) {
  const Given given = GivenByQemu(Args{
      "-blockdev",
      R"({"driver":"file","filename":"/img/base.qcow2","node-name":"libvirt-3-storage","auto-read-only":true,"discard":"unmap"})",
      "-blockdev",
      R"({"node-name":"libvirt-3-format","read-only":true,"driver":"qcow2","file":"libvirt-3-storage","backing":null})",
      "-blockdev",
      R"({"driver":"host_device","filename":"/dev/vg/mid","node-name":"libvirt-2-storage"})",
      "-blockdev",
      R"({"node-name":"libvirt-2-format","read-only":true,"driver":"qcow2","file":"libvirt-2-storage","backing":"libvirt-3-format"})",
      "-blockdev",
      R"({"driver":"nbd","server":{"type":"unix","path":"/run/nbd"},"export":"bar","node-name":"libvirt-1-storage"})",
      "-blockdev",
      R"({"node-name":"libvirt-1-format","read-only":false,"cache":{"direct":true,"no-flush":false},"driver":"qcow2","file":"libvirt-1-storage","backing":"libvirt-2-format"})",
      "-device",
      R"({"driver":"virtio-blk-pci","bus":"pci.0","drive":"libvirt-1-format","id":"virtio-disk1"})"});
  ASSERT_THAT(given.disks, SizeIs(1));
  const given::Disk& disk = given.disks[0];
  EXPECT_EQ(disk.id, "virtio-disk1");
  EXPECT_THAT(disk.path, IsFromArgv("nbd:unix:/run/nbd:bar"));
  EXPECT_THAT(disk.format, IsFromArgv("qcow2"));
  EXPECT_THAT(disk.cache, IsFromArgv("none"));
  EXPECT_THAT(disk.read_only, IsFromArgv(false));
  EXPECT_THAT(disk.shared, IsDefault(false));
  EXPECT_THAT(disk.backing, IsFromArgv(Paths{"/dev/vg/mid", "/img/base.qcow2"}));
  EXPECT_THAT(given.gaps, IsEmpty());
}

TEST(QemuDisksTest, AChainThatEndsInAHeaderIsAGap) {
  const Given given = GivenByQemu(
      Args{"-blockdev", "driver=qcow2,node-name=a,file.driver=file,file.filename=/a,backing=b",
           "-blockdev", "driver=qcow2,node-name=b,file.driver=file,file.filename=/b"});
  ASSERT_THAT(given.disks, SizeIs(1));
  EXPECT_THAT(given.disks[0].backing, IsFromArgv(Paths{"/b"}));
  EXPECT_THAT(given.gaps, ElementsAre("what backs the last image of disk a"));
}

TEST(QemuDisksTest, NodesThatNameEachOtherEnd) {
  const Given given =
      GivenByQemu(Args{"-blockdev", "driver=qcow2,node-name=a,file=b,backing=b", "-blockdev",
                       "driver=raw,node-name=b,file=a", "-device", "virtio-blk,drive=a"});
  EXPECT_LE(given.disks.size(), 1U);
}

TEST(QemuDisksTest, DescriptorsThatWereHandedOver) {
  const Given given =
      GivenByQemu(Args{"-add-fd", "set=2,fd=33,opaque=rdwr:/x", "-drive",
                       "file=/dev/fdset/2,format=raw,id=x,if=none", "-blockdev",
                       R"({"driver":"file","filename":"/dev/fdset/2","node-name":"n"})"});
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("fd:33"));
  EXPECT_THAT(given.disks[1].path, IsFromArgv("fd:33"));
}

TEST(QemuDisksTest, JsonWithinAFilename) {
  const Given given = GivenByQemu(Args{
      "-drive",
      R"(file=json:{"driver":"qcow2",,"file":{"driver":"https",,"url":"https://u:hunter2@h/x"}},if=virtio)"});
  ASSERT_THAT(given.disks, SizeIs(1));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("https://u:***@h/x"));
  EXPECT_THAT(given.disks[0].format, IsFromArgv("qcow2"));
}

TEST(QemuDisksTest, MoreThanAreKeptIsAGap) {
  Args args;
  for (int i = 0; i < 100; ++i) args.insert(args.end(), {"-drive", "file=/x,format=raw"});
  const Given given = GivenByQemu(args);
  EXPECT_THAT(given.disks, SizeIs(kMaxGivenParts));
  EXPECT_THAT(given.gaps, ElementsAre("more than 64 disks"));
}

}  // namespace
}  // namespace kvmsentry
