// A real VMM, there before the daemon: what it has on the host.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/qemu_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::ResultOf;
using ::testing::UnorderedElementsAre;

auto Is(v1::Device::Kind kind, const std::string& name) {
  return ResultOf([](const v1::Device& d) { return std::pair(d.kind(), d.name()); },
                  std::pair(kind, name));
}

TEST_F(QemuTest, AGuestStartedBeforeTheSensorIsFoundWithItsVcpusTapAndDisks) {
  const std::string vm = Name("qemu");
  const std::string disk = MakeImage("disk.img");
  const std::string cd = MakeImage("cd.iso");
  const std::string tap = absl::StrCat("kst", getpid());
  ASSERT_OK_AND_ASSIGN(
      Process qemu,
      StartQemu(vm,
                {"-drive", absl::StrCat("file=", disk, ",format=raw,if=virtio"), "-drive",
                 absl::StrCat("file=", cd, ",format=raw,media=cdrom,readonly=on"), "-netdev",
                 absl::StrCat("tap,id=n,script=no,downscript=no,ifname=", tap), "-device",
                 "virtio-net-pci,netdev=n", "-serial", absl::StrCat("file:", File("serial.log")),
                 "-D", File("qemu.log"), "-pidfile", File("pid")}));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForVm(vm, Has(3)));
  EXPECT_TRUE(status.watched());
  EXPECT_EQ(status.vcpus(), 2U);
  EXPECT_EQ(status.vm().pid(), static_cast<uint32_t>(qemu.pid()));
  EXPECT_THAT(status.devices(),
              UnorderedElementsAre(Is(v1::Device::TAP, tap), Is(v1::Device::DISK, disk),
                                   Is(v1::Device::DISK, cd)));
  struct stat stat {};
  ASSERT_EQ(::stat(disk.c_str(), &stat), 0);
  for (const v1::Device& device : status.devices()) {
    EXPECT_EQ(device.inode() == stat.st_ino, device.name() == disk);
    EXPECT_EQ(device.writable(), device.name() != cd);
    EXPECT_FALSE(device.shared_by_process());
  }
  EXPECT_EQ(status.devices_left_out(), 0U);
  ASSERT_OK_AND_ASSIGN(const Finished table, cli().Run({"vms", "--devices", "--wide", "--vm", vm}));
  EXPECT_THAT(table.lines, ::testing::Contains(::testing::HasSubstr(disk)));
}

TEST_F(QemuTest, ADiskThatIsPluggedAndUnpluggedLaterIsSeen) {
  const std::string vm = Name("hotplug");
  ASSERT_OK_AND_ASSIGN(Process qemu, StartQemu(vm, {}));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus before, WaitForVm(vm));
  EXPECT_THAT(before.devices(), IsEmpty());
  const std::string disk = MakeImage("late.img");
  ASSERT_OK(Ask(qemu, absl::StrCat(R"({"execute":"blockdev-add","arguments":{"driver":"file",)",
                                   R"("node-name":"late","filename":")", disk, R"("}})")));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus plugged, WaitForVm(vm, Has(1)));
  EXPECT_THAT(plugged.devices(), ElementsAre(Is(v1::Device::DISK, disk)));
  ASSERT_OK(Ask(qemu, R"({"execute":"blockdev-del","arguments":{"node-name":"late"}})"));
  ASSERT_OK(WaitForVm(vm, Has(0)));
}

TEST_F(QemuTest, TwoVmsOfOneProcessShareItsDevicesAndSaySo) {
  const std::string image = MakeImage("fleet.img");
  // The guest inherits the image from the shell.
  ASSERT_OK_AND_ASSIGN(const Guest guest,
                       Guest::Start(absl::StrCat("--name ", Name("fleet"),
                                                 " --seconds 600 --behaviour calm --vms 2"),
                                    {"sh", "-c", absl::StrCat("exec \"$@\" 9<>", image), "sh"}));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  std::vector<v1::VmStatus> vms;
  ASSERT_TRUE(WaitUntil([&] {
    vms = cli().Vms(Name("fleet") + "*").value_or(std::vector<v1::VmStatus>());
    return vms.size() == 2 && vms[0].devices_size() == 1 && vms[1].devices_size() == 1;
  }));
  for (const v1::VmStatus& vm : vms) {
    EXPECT_THAT(vm.devices(), ElementsAre(Is(v1::Device::DISK, image)));
    EXPECT_TRUE(vm.devices(0).shared_by_process());
    EXPECT_EQ(vm.devices(0).fd(), 9U);
  }
}

}  // namespace
}  // namespace kvmsentry
