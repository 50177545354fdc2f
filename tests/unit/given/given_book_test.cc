#include "sensor/given/given_book.h"

#include <sys/stat.h>

#include "tests/unit/given/fake_process.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = kNsPerSecond;
constexpr char kUuid[] = "dcf47dbd-46d1-4d5b-b442-262a806a333a";

class GivenBookTest : public ::testing::Test {
 protected:
  GivenBookTest()
      : book_({.proc = fake_.tree().root(),
               .sys = fake_.tree().root(),
               .host = fake_.tree().root()}) {
    fake_.AddMounts("ext4");
    fake_.tree().Write("7/status", "Uid:\t0\t107\t107\t107\nNSpid:\t7\t3\n");
    process_.pid = 7;
    process_.start_ticks = 500;
    process_.exe = "/usr/bin/qemu-system-x86_64";
    process_.args = {"qemu", "-name", "web", "-m", "64", "-nodefaults"};
    process_.cgroup = "/";
  }

  std::shared_ptr<const GivenRecord> Look(int64_t at) {
    book_.Begin({at});
    book_.Look(process_, devices_);
    const GivenRecords records = book_.End();
    const auto record = records.find(7);
    return record == records.end() ? nullptr : record->second;
  }

  void Plug(const std::string& path) {
    Device device;
    device.name = path;
    device.inode = 5;
    devices_.devices.push_back(device);
  }

  FakeProcess fake_;
  GivenBook book_;
  ProcessFacts process_;
  DeviceList devices_;
};

TEST_F(GivenBookTest, ReadsAndKeeps) {
  const auto first = Look(kSecond);
  ASSERT_NE(first, nullptr);
  EXPECT_THAT(first->given.memory.size, IsFromArgv(64U << 20));
  EXPECT_THAT(first->given.privileges.uid, IsKnown(107U, FactOrigin::kProcess));
  EXPECT_FALSE(first->changed_at.has_value());
  EXPECT_EQ(Look(2 * kSecond), first);
  EXPECT_EQ(Look(100 * kSecond), first) << "read again, and the same";
}

TEST_F(GivenBookTest, APluggedDiskIsAChange) {
  Look(kSecond);
  Plug("/late.img");
  const auto later = Look(2 * kSecond);
  EXPECT_THAT(later->given.disks, SizeIs(1));
  EXPECT_EQ(later->changed_at, KernelTime{2 * kSecond});
  EXPECT_THAT(later->changes, ElementsAre("disk late.img was added"));
  devices_.devices.clear();
  EXPECT_THAT(Look(3 * kSecond)->changes, ElementsAre("disk late.img was removed"));
}

TEST_F(GivenBookTest, WhatNoWalkShowsIsReadNowAndThen) {
  Look(kSecond);
  fake_.tree().Link("7/fd/9", "/dev/vfio/3");
  EXPECT_THAT(Look(2 * kSecond)->given.devices, IsEmpty());
  EXPECT_THAT(Look(2 * kSecond + GivenBook::kReadAgainNs)->given.devices, SizeIs(1));
}

TEST_F(GivenBookTest, AnOverwrittenCommandLineEntitlesToNothing) {
  Look(kSecond);
  process_.args = {"qemu", "-m", "9999", "-drive", "file=/etc/shadow"};
  const auto later = Look(2 * kSecond);
  EXPECT_THAT(later->given.memory.size, IsFromArgv(64U << 20));
  EXPECT_THAT(later->given.disks, IsEmpty());
  EXPECT_THAT(later->given.gaps, Contains(HasSubstr("was overwritten")));
}

TEST_F(GivenBookTest, APidThatIsReusedIsAnotherProcess) {
  Look(kSecond);
  fake_.SetStart(900);
  process_.start_ticks = 900;
  process_.args = {"qemu", "-m", "128", "-nodefaults"};
  const auto other = Look(2 * kSecond);
  EXPECT_THAT(other->given.memory.size, IsFromArgv(128U << 20));
  EXPECT_FALSE(other->changed_at.has_value());
  fake_.SetStart(901);
  process_.start_ticks = 902;
  EXPECT_EQ(Look(3 * kSecond), nullptr) << "it was reused since its facts were read";
}

TEST_F(GivenBookTest, LibvirtsFileIsReadIfItIsTheVms) {
  process_.args.insert(process_.args.end(),
                       {"-uuid", kUuid, "-object", "secret,id=masterKey0,format=raw,file=/k"});
  EXPECT_THAT(Look(kSecond)->given.gaps, Contains("libvirt's file of the domain: there is none"));
  const auto write = [&](int pid, const std::string& uuid) {
    fake_.tree().Write("run/libvirt/qemu/web.xml",
                       absl::StrCat("<domstatus pid='", pid, "'><domain><name>web</name><uuid>",
                                    uuid, "</uuid><vcpu>9</vcpu><devices><disk><source file='/x'/>",
                                    "<target dev='vda'/></disk></devices></domain></domstatus>"));
  };
  write(8, kUuid);
  const auto of_another = Look(100 * kSecond);
  EXPECT_THAT(of_another->given.gaps, Contains(HasSubstr("it is another VM's")));
  EXPECT_THAT(of_another->given.manager.kind, IsFromArgv("libvirt"));
  write(7, "dcf47dbd-46d1-4d5b-b442-000000000000");
  EXPECT_THAT(Look(200 * kSecond)->given.gaps, Contains(HasSubstr("it is another VM's")));
  write(7, kUuid);
  const auto read = Look(300 * kSecond);
  EXPECT_THAT(read->given.gaps, IsEmpty());
  ASSERT_THAT(read->given.disks, SizeIs(1));
  EXPECT_THAT(read->given.disks[0].path, IsKnown("/x", FactOrigin::kLibvirt));
  EXPECT_THAT(read->given.manager.kind, IsKnown("libvirt", FactOrigin::kLibvirt));
}

TEST_F(GivenBookTest, LibvirtsCgroupConfirmsWhatTheCommandLineSays) {
  process_.args.insert(process_.args.end(), {"-object", "secret,id=masterKey0,file=/k"});
  process_.cgroup = "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator";
  EXPECT_THAT(Look(kSecond)->given.manager.kind, IsKnown("libvirt", FactOrigin::kCgroup));
}

TEST_F(GivenBookTest, KubevirtsFileIsBelowTheRootOfThePod) {
  process_.args = {"qemu",  "-nodefaults", "-name",   "guest=shop_web",
                   "-uuid", kUuid,         "-object", "secret,id=masterKey0,file=/k"};
  process_.cgroup = "/kubepods/pod2f9d6b9e-5b1a-4f43-9a61-0d6a3f7f9a10/c";
  fake_.tree().Write("below/run/libvirt/qemu/run/shop_web.xml",
                     absl::StrCat("<domstatus pid='3'><domain><name>shop_web</name><uuid>", kUuid,
                                  "</uuid><devices><interface type='ethernet'><target dev='tap0'/>",
                                  "</interface></devices></domain></domstatus>"));
  const auto read = Look(kSecond);
  EXPECT_THAT(read->given.gaps, IsEmpty());
  EXPECT_THAT(read->given.manager.kind, IsKnown("kubevirt", FactOrigin::kKubevirt));
  EXPECT_THAT(read->given.manager.name_space, IsKnown("shop", FactOrigin::kKubevirt));
  ASSERT_THAT(read->given.interfaces, SizeIs(1));
  EXPECT_THAT(read->given.interfaces[0].device, IsKnown("tap0", FactOrigin::kLibvirt));
}

TEST_F(GivenBookTest, ANameOfADomainLeadsNowhereElse) {
  process_.args = {"qemu", "-name", "guest=../../../secret", "-object", "secret,id=masterKey0"};
  fake_.tree().Write("secret.xml", "<domain><vcpu>77</vcpu></domain>");
  EXPECT_THAT(Look(kSecond)->given.cpus.start, IsDefault(1U));
}

TEST_F(GivenBookTest, FirecrackersConfigurationIsReadBelowItsRoot) {
  process_.exe = "/firecracker";
  process_.args = {"firecracker", "--no-api", "--config-file", "vm.json"};
  EXPECT_THAT(Look(kSecond)->given.gaps, Contains(HasSubstr("the configuration file vm.json: ")));
  fake_.tree().Write("below/work/vm.json", R"({"machine-config":{"vcpu_count":3}})");
  const auto read = Look(100 * kSecond);
  EXPECT_THAT(read->given.gaps, IsEmpty());
  EXPECT_THAT(read->given.cpus.start, IsKnown(3U, FactOrigin::kConfigFile));
}

}  // namespace
}  // namespace kvmsentry
