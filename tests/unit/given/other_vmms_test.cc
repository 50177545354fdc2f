// Command lines as the projects' own documentation has them.
#include "sensor/given/other_vmms.h"

#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Words = std::vector<std::string>;

TEST(CloudHypervisorTest, ACommandLine) {
  const Given given = GivenByCloudHypervisor(
      Args{"--kernel",
           "./hypervisor-fw",
           "--disk",
           "path=focal.raw,id=root",
           "path=/seed.img,readonly=on,direct=on",
           "--cpus",
           "boot=4,max=8,affinity=[0@[1,2]]",
           "--memory",
           "size=1024M,hotplug_size=1G,shared=on",
           "--net",
           "tap=ich0,mac=a4:a1:c2:00:00:01,ip=192.168.4.2,mask=255.255.255.0",
           "vhost_user=true,socket=/run/vu.sock",
           "--fs",
           "tag=myfs,socket=/tmp/virtiofs.sock",
           "--device",
           "path=/sys/bus/pci/devices/0000:01:00.0/,iommu=on",
           "--vsock",
           "cid=3,socket=/tmp/ch.vsock",
           "--api-socket",
           "path=/tmp/ch.sock",
           "--seccomp",
           "log",
           "--landlock"});
  EXPECT_THAT(given.gaps, IsEmpty());
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_EQ(given.disks[0].id, "root");
  EXPECT_THAT(given.disks[0].path, IsFromArgv("focal.raw"));
  EXPECT_THAT(given.disks[0].read_only, IsDefault(false));
  EXPECT_THAT(given.disks[1].read_only, IsFromArgv(true));
  EXPECT_THAT(given.disks[1].cache, IsFromArgv("none"));
  EXPECT_THAT(given.cpus.start, IsFromArgv(4U));
  EXPECT_THAT(given.cpus.max, IsFromArgv(8U));
  EXPECT_THAT(given.memory.size, IsFromArgv(1ULL << 30));
  EXPECT_THAT(given.memory.max, IsFromArgv(2ULL << 30));
  ASSERT_THAT(given.memory.backing, SizeIs(1));
  EXPECT_THAT(given.memory.backing[0].kind, IsFromArgv("memfd"));
  ASSERT_THAT(given.interfaces, SizeIs(2));
  EXPECT_THAT(given.interfaces[0].device, IsFromArgv("ich0"));
  EXPECT_THAT(given.interfaces[0].mac, IsFromArgv("a4:a1:c2:00:00:01"));
  EXPECT_THAT(given.interfaces[0].addresses, IsFromArgv(Words{"host 192.168.4.2/255.255.255.0"}));
  EXPECT_THAT(given.interfaces[1].socket, IsFromArgv("/run/vu.sock"));
  ASSERT_THAT(given.folders, SizeIs(1));
  EXPECT_THAT(given.folders[0].socket, IsFromArgv("unix:/tmp/virtiofs.sock"));
  EXPECT_THAT(given.devices, SizeIs(2));
  ASSERT_THAT(given.monitors, SizeIs(1));
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("unix:/tmp/ch.sock"));
  EXPECT_THAT(given.privileges.sandbox, IsFromArgv("seccomp log,landlock"));
}

TEST(CloudHypervisorTest, ZonesAddUp) {
  const Given given = GivenByCloudHypervisor(
      Args{"--firmware=fw", "--memory", "size=0,hotplug_method=virtio-mem", "--memory-zone",
           "id=mem0,size=1G,hotplug_size=2G", "id=mem1,size=1G,file=/dev/shm"});
  EXPECT_THAT(given.memory.size, IsFromArgv(2ULL << 30));
  EXPECT_THAT(given.memory.max, IsFromArgv(4ULL << 30));
  ASSERT_THAT(given.memory.backing, SizeIs(2));
  EXPECT_THAT(given.memory.backing[1].path, IsFromArgv("/dev/shm"));
}

TEST(CloudHypervisorTest, WhatComesThroughTheSocketIsUnknown) {
  const Given given = GivenByCloudHypervisor(Args{"--api-socket", "fd=4"});
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("fd:4"));
  EXPECT_THAT(given.memory.size, IsUnknown());
  EXPECT_THAT(given.cpus.start, IsUnknown());
  EXPECT_THAT(given.gaps, ElementsAre("what was configured through the API socket"));
}

TEST(FirecrackerTest, TheConfigurationFileSaysNearlyAll) {
  const Args args = {"--no-api", "--config-file", "vm_config.json", "--id", "a"};
  EXPECT_EQ(FirecrackerConfigFile(args), "vm_config.json");
  Given given = GivenByFirecracker(args);
  AddFirecrackerConfig(R"({
    "boot-source": {"kernel_image_path": "vmlinux", "boot_args": "password=hunter2"},
    "drives": [{"drive_id": "rootfs", "path_on_host": "/a.ext4", "is_root_device": true,
                "is_read_only": false},
               {"drive_id": "two", "path_on_host": "/b.ext4", "is_read_only": true,
                "cache_type": "Writeback"}],
    "machine-config": {"vcpu_count": 2, "mem_size_mib": 1024, "smt": false},
    "network-interfaces": [{"iface_id": "eth0", "guest_mac": "06:00:AC:10:00:02",
                            "host_dev_name": "tap0"}],
    "vsock": {"guest_cid": 3, "uds_path": "/v.sock"}})",
                       &given);
  EXPECT_THAT(given.gaps, IsEmpty());
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_THAT(given.disks[0].path, IsKnown("/a.ext4", FactOrigin::kConfigFile));
  EXPECT_THAT(given.disks[0].read_only, IsKnown(false, FactOrigin::kConfigFile));
  EXPECT_THAT(given.disks[1].cache, IsKnown("Writeback", FactOrigin::kConfigFile));
  EXPECT_THAT(given.cpus.max, IsKnown(2U, FactOrigin::kConfigFile));
  EXPECT_THAT(given.memory.size, IsKnown(1ULL << 30, FactOrigin::kConfigFile));
  ASSERT_THAT(given.interfaces, SizeIs(1));
  EXPECT_THAT(given.interfaces[0].device, IsKnown("tap0", FactOrigin::kConfigFile));
  EXPECT_THAT(given.monitors, IsEmpty());
  EXPECT_THAT(AllText(given), ::testing::Not(HasSubstr("hunter2")));
}

TEST(FirecrackerTest, ItsSocketAndABadFile) {
  Given given = GivenByFirecracker(Args{"--api-sock", "/run/fc.sock", "--no-seccomp"});
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("unix:/run/fc.sock"));
  EXPECT_THAT(given.privileges.sandbox, IsFromArgv("off"));
  EXPECT_THAT(given.cpus.start, IsUnknown());
  AddFirecrackerConfig("{", &given);
  EXPECT_THAT(given.gaps, Contains(HasSubstr("no JSON object")));
}

TEST(CrosvmTest, ACommandLine) {
  const Given given = GivenByCrosvm(Args{"run",
                                         "--disable-sandbox",
                                         "-b",
                                         "/rootfs.img,root,ro",
                                         "--rwdisk",
                                         "/data.img",
                                         "--net",
                                         "tap-name=vmtap0,mac=52:54:00:00:00:01",
                                         "--cpus=num-cores=4",
                                         "-m",
                                         "2048",
                                         "--shared-dir",
                                         "/srv:tag:type=fs:cache=always",
                                         "-s",
                                         "/run/crosvm.sock",
                                         "--vfio",
                                         "/sys/bus/pci/devices/0000:00:02.0",
                                         "-p",
                                         "--rwdisk=/evil.img",
                                         "--vhost-user",
                                         "type=net,socket=/run/vu.sock",
                                         "vmlinux"});
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("/rootfs.img"));
  EXPECT_THAT(given.disks[0].read_only, IsFromArgv(true));
  EXPECT_THAT(given.disks[1].path, IsFromArgv("/data.img"));
  EXPECT_THAT(given.disks[1].read_only, IsFromArgv(false));
  ASSERT_THAT(given.interfaces, SizeIs(1));
  EXPECT_THAT(given.interfaces[0].device, IsFromArgv("vmtap0"));
  EXPECT_THAT(given.cpus.start, IsFromArgv(4U));
  EXPECT_THAT(given.memory.size, IsFromArgv(2ULL << 30));
  ASSERT_THAT(given.folders, SizeIs(1));
  EXPECT_THAT(given.folders[0].kind, IsFromArgv("virtiofs"));
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("unix:/run/crosvm.sock"));
  EXPECT_THAT(given.privileges.sandbox, IsFromArgv("off"));
  ASSERT_THAT(given.devices, SizeIs(2));
  EXPECT_THAT(given.devices[1].kind, IsFromArgv("vhost-user-net"));
}

}  // namespace
}  // namespace kvmsentry
