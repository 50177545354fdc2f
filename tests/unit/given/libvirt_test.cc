// A status file in the form of libvirt's tests/qemustatusxml2xmldata/modern-in.xml.
#include "sensor/given/libvirt.h"

#include "sensor/given/kubevirt.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Words = std::vector<std::string>;

constexpr char kStatus[] = R"(<domstatus state='running' pid='195139'>
  <monitor path='/var/lib/libvirt/qemu/domain-1-up/monitor.sock' type='unix'/>
  <domain type='kvm' id='1'>
    <name>upstream</name><uuid>DCF47DBD-46d1-4d5b-b442-262a806a333a</uuid>
    <maxMemory slots='16' unit='GiB'>4</maxMemory>
    <memory unit='KiB'>1024000</memory>
    <vcpu placement='auto' current='2'>8</vcpu>
    <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
    <devices>
      <disk type='file' device='disk'>
        <driver name='qemu' type='qcow2' cache='none'/>
        <source file='/img/a.qcow2'/>
        <backingStore type='file' index='1'><format type='qcow2'/><source file='/img/base.qcow2'/>
          <backingStore/></backingStore>
        <target dev='vdb' bus='virtio'/><shareable/><alias name='virtio-disk1'/>
      </disk>
      <disk type='network' device='cdrom'>
        <source protocol='rbd' name='pool/image'><host name='mon' port='6321'/>
          <auth username='me'><secret type='ceph' uuid='hunter2'/></auth></source>
        <target dev='hda'/><readonly/>
      </disk>
      <disk type='file' device='cdrom'><target dev='hdb'/></disk>
      <interface type='network'>
        <mac address='52:54:00:36:bd:3b'/><source network='default'/>
        <actual type='network'><source bridge='virbr0'/></actual>
        <target dev='vnet0'/><model type='virtio'/><alias name='net0'/>
      </interface>
      <interface type='vhostuser'><source type='unix' path='/run/vu.sock' mode='server'/>
        <alias name='net1'/><ip address='10.0.0.5' family='ipv4'/></interface>
      <filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/>
        <source dir='/srv/share'/><target dir='tag'/></filesystem>
      <hostdev mode='subsystem' type='pci'><source>
        <address domain='0x0000' bus='0x06' slot='0x12' function='0x1'/></source>
        <alias name='hostdev0'/></hostdev>
      <graphics type='vnc' passwd='hunter2'/>
    </devices>
  </domain>
</domstatus>)";

TEST(LibvirtTest, TheStatusOfADomain) {
  const auto domain = ParseLibvirtDomain(kStatus);
  ASSERT_TRUE(domain.ok()) << domain.status();
  EXPECT_EQ(domain->name, "upstream");
  EXPECT_EQ(domain->pid, 195139);
  EXPECT_EQ(domain->uuid, "dcf47dbd-46d1-4d5b-b442-262a806a333a");
  const Given& given = domain->given;
  EXPECT_THAT(given.memory.size, IsKnown(1024000ULL << 10, FactOrigin::kLibvirt));
  EXPECT_THAT(given.memory.max, IsKnown(4ULL << 30, FactOrigin::kLibvirt));
  EXPECT_THAT(given.cpus.start, IsKnown(2U, FactOrigin::kLibvirt));
  EXPECT_THAT(given.cpus.max, IsKnown(8U, FactOrigin::kLibvirt));
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_EQ(given.disks[0].id, "virtio-disk1");
  EXPECT_THAT(given.disks[0].path, IsKnown("/img/a.qcow2", FactOrigin::kLibvirt));
  EXPECT_THAT(given.disks[0].backing, IsKnown(Words{"/img/base.qcow2"}, FactOrigin::kLibvirt));
  EXPECT_THAT(given.disks[0].shared, IsKnown(true, FactOrigin::kLibvirt));
  EXPECT_EQ(given.disks[1].id, "hda");
  EXPECT_THAT(given.disks[1].path, IsKnown("rbd://mon:6321/pool/image", FactOrigin::kLibvirt));
  EXPECT_THAT(given.disks[1].read_only, IsKnown(true, FactOrigin::kLibvirt));
  EXPECT_THAT(given.disks[1].backing, IsUnknown());
  ASSERT_THAT(given.interfaces, SizeIs(2));
  EXPECT_THAT(given.interfaces[0].device, IsKnown("vnet0", FactOrigin::kLibvirt));
  EXPECT_THAT(given.interfaces[0].bridge, IsKnown("virbr0", FactOrigin::kLibvirt));
  EXPECT_THAT(given.interfaces[1].socket, IsKnown("unix:/run/vu.sock", FactOrigin::kLibvirt));
  EXPECT_THAT(given.interfaces[1].addresses,
              IsKnown(Words{"guest 10.0.0.5"}, FactOrigin::kLibvirt));
  ASSERT_THAT(given.folders, SizeIs(1));
  EXPECT_THAT(given.folders[0].path, IsKnown("/srv/share", FactOrigin::kLibvirt));
  ASSERT_THAT(given.devices, SizeIs(1));
  EXPECT_THAT(given.devices[0].place, IsKnown("0000:06:12.1", FactOrigin::kLibvirt));
  EXPECT_THAT(AllText(given), Not(HasSubstr("hunter2")));
}

TEST(LibvirtTest, ADefinitionHasNoPid) {
  const auto domain = ParseLibvirtDomain(
      "<domain type='kvm'><name>a</name><vcpu>4</vcpu><memory unit='bytes'>4096</memory></domain>");
  ASSERT_TRUE(domain.ok());
  EXPECT_EQ(domain->pid, 0);
  EXPECT_THAT(domain->given.cpus.start, IsKnown(4U, FactOrigin::kLibvirt));
  EXPECT_THAT(domain->given.memory.size, IsKnown(4096U, FactOrigin::kLibvirt));
}

TEST(LibvirtTest, WhatIsNoDomainIsAnError) {
  for (const char* bad : {"", "text", "<domain", "<network/>", "<domstatus/>"}) {
    EXPECT_FALSE(ParseLibvirtDomain(bad).ok()) << bad;
  }
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseLibvirtDomain(deep).ok());
}

TEST(LibvirtTest, EntitiesAreNotFollowed) {
  const auto domain = ParseLibvirtDomain(
      "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain><name>&x;</name></domain>");
  ASSERT_TRUE(domain.ok());
  EXPECT_EQ(domain->name, "&x;");
}

TEST(KubevirtTest, ThePodIsInTheCgroup) {
  constexpr char kUid[] = "2f9d6b9e-5b1a-4f43-9a61-0d6a3f7f9a10";
  EXPECT_EQ(PodOf(std::string("/kubepods/burstable/pod") + kUid + "/abc"), kUid);
  EXPECT_EQ(PodOf("/kubepods.slice/kubepods-burstable.slice/"
                  "kubepods-burstable-pod2f9d6b9e_5b1a_4f43_9a61_0d6a3f7f9a10.slice/cri-1.scope"),
            kUid);
  EXPECT_EQ(PodOf("/machine.slice/pod2f9d6b9e-5b1a-4f43-9a61-0d6a3f7f9a10"), "");
  EXPECT_EQ(PodOf("/kubepods/pod"), "");
  const given::Manager manager =
      KubevirtManager(std::string("/kubepods/pod") + kUid + "/c", "shop_web");
  EXPECT_THAT(manager.kind, IsKnown("kubevirt", FactOrigin::kKubevirt));
  EXPECT_THAT(manager.name_space, IsKnown("shop", FactOrigin::kKubevirt));
  EXPECT_THAT(manager.pod, IsKnown(kUid, FactOrigin::kCgroup));
  EXPECT_THAT(KubevirtManager("/machine.slice", "shop_web").kind, IsUnknown());
}

}  // namespace
}  // namespace kvmsentry
