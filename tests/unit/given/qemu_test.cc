// QEMU's command line but for disks. The forms of libvirt are those of its own expected command
// lines, tests/qemuxmlconfdata/*.args.
#include "sensor/given/qemu.h"

#include "sensor/given/command_line.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Words = std::vector<std::string>;
constexpr uint64_t kMebi = 1 << 20;

// What libvirt writes for most VMs.
const Args kLibvirt = {
    "-name",
    "guest=QEMUGuest1,debug-threads=on",
    "-S",
    "-object",
    R"({"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain--1-QEMUGuest1/master-key.aes"})",
    "-machine",
    "pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram",
    "-accel",
    "kvm",
    "-cpu",
    "host,migratable=on,hv-time=on,hv_relaxed,vmx=off",
    "-m",
    "size=219136k,slots=16,maxmem=1099511627776k",
    "-object",
    R"({"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"x-use-canonical-path-for-ramblock-id":false,"size":224395264})",
    "-overcommit",
    "mem-lock=off",
    "-smp",
    "2,maxcpus=8,sockets=8,dies=1,cores=1,threads=1",
    "-uuid",
    "c7a5fdbd-edaf-9455-926a-d65c16db1809",
    "-display",
    "none",
    "-no-user-config",
    "-nodefaults",
    "-chardev",
    "socket,id=charmonitor,fd=1729,server=on,wait=off",
    "-mon",
    "chardev=charmonitor,id=monitor,mode=control",
    "-netdev",
    R"({"type":"tap","fds":"3:4","vhost":true,"vhostfds":"5:6","id":"hostnet0"})",
    "-device",
    R"({"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"00:11:22:33:44:55"})",
    "-chardev",
    "socket,id=chr-vu-fs0,path=/tmp/lib/domain--1-guest/fs0.vhost-fs.sock",
    "-device",
    R"({"driver":"vhost-user-fs-pci","id":"fs0","chardev":"chr-vu-fs0","tag":"mount_tag"})",
    "-device",
    R"({"driver":"vfio-pci","host":"0000:06:12.1","id":"hostdev0"})",
    "-incoming",
    "defer",
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    "-msg",
    "timestamp=on"};

TEST(QemuTest, LibvirtsCommandLine) {
  const Given given = GivenByQemu(kLibvirt);
  EXPECT_THAT(given.gaps, IsEmpty());
  EXPECT_THAT(given.machine, IsFromArgv("pc-q35-7.2"));
  EXPECT_THAT(given.memory.size, IsFromArgv(219136ULL << 10));
  EXPECT_THAT(given.memory.max, IsFromArgv(1099511627776ULL << 10));
  EXPECT_THAT(given.memory.slots, IsFromArgv(16U));
  ASSERT_THAT(given.memory.backing, SizeIs(1));
  EXPECT_EQ(given.memory.backing[0].id, "pc.ram");
  EXPECT_THAT(given.memory.backing[0].kind, IsFromArgv("memfd"));
  EXPECT_THAT(given.memory.backing[0].size, IsFromArgv(224395264U));
  EXPECT_THAT(given.memory.backing[0].shared, IsFromArgv(true));
  EXPECT_THAT(given.cpus.start, IsFromArgv(2U));
  EXPECT_THAT(given.cpus.max, IsFromArgv(8U));

  ASSERT_THAT(given.interfaces, SizeIs(1));
  EXPECT_EQ(given.interfaces[0].id, "net0");
  EXPECT_THAT(given.interfaces[0].kind, IsFromArgv("tap"));
  EXPECT_THAT(given.interfaces[0].device, IsFromArgv("fd:3"));
  EXPECT_THAT(given.interfaces[0].mac, IsFromArgv("00:11:22:33:44:55"));
  EXPECT_THAT(given.interfaces[0].model, IsFromArgv("virtio-net-pci"));
  EXPECT_THAT(given.interfaces[0].vhost, IsFromArgv(true));

  ASSERT_THAT(given.monitors, SizeIs(1));
  EXPECT_THAT(given.monitors[0].kind, IsFromArgv("qmp"));
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("fd:1729"));
  ASSERT_THAT(given.folders, SizeIs(1));
  EXPECT_EQ(given.folders[0].id, "mount_tag");
  EXPECT_THAT(given.folders[0].kind, IsFromArgv("virtiofs"));
  EXPECT_THAT(given.folders[0].socket,
              IsFromArgv("unix:/tmp/lib/domain--1-guest/fs0.vhost-fs.sock"));
  EXPECT_THAT(given.folders[0].path, IsUnknown());
  ASSERT_THAT(given.devices, SizeIs(1));
  EXPECT_THAT(given.devices[0].kind, IsFromArgv("vfio-pci"));
  EXPECT_THAT(given.devices[0].place, IsFromArgv("0000:06:12.1"));

  EXPECT_THAT(given.migration.incoming, IsFromArgv("defer"));
  EXPECT_THAT(given.privileges.nesting, IsFromArgv(false));
  EXPECT_THAT(given.privileges.hyperv, IsFromArgv(Words{"hv-relaxed", "hv-time"}));
  EXPECT_THAT(
      given.privileges.sandbox,
      IsFromArgv("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
}

TEST(QemuTest, DefaultsSayThatTheyAre) {
  const Given given = GivenByQemu({});
  EXPECT_THAT(given.memory.size, IsDefault(128 * kMebi));
  EXPECT_THAT(given.memory.max, IsDefault(128 * kMebi));
  EXPECT_THAT(given.cpus.start, IsDefault(1U));
  EXPECT_THAT(given.cpus.max, IsDefault(1U));
  EXPECT_THAT(given.privileges.sandbox, IsDefault("off"));
  EXPECT_THAT(given.privileges.nesting, IsUnknown());
  EXPECT_THAT(given.migration.incoming, IsDefault("none"));
  ASSERT_THAT(given.monitors, SizeIs(1));
  EXPECT_THAT(given.monitors[0].place, IsDefault("window"));
  EXPECT_THAT(GivenByQemu(Args{"-nodefaults"}).monitors, IsEmpty());
  ASSERT_THAT(given.interfaces, SizeIs(1));
  EXPECT_THAT(given.interfaces[0].kind, IsDefault("user"));
  for (const Args& other : {Args{"-nodefaults"}, Args{"-nic", "none"}, Args{"-net", "none"}}) {
    EXPECT_THAT(GivenByQemu(other).interfaces, IsEmpty());
  }
}

// Where they lead, in each of their forms.
TEST(QemuTest, NetworksOverSockets) {
  const auto socket = [](const char* netdev) {
    const Given given = GivenByQemu(Args{"-netdev", netdev});
    return given.interfaces.size() == 1 ? given.interfaces[0].socket : TextFact();
  };
  EXPECT_THAT(socket("dgram,id=n,local.type=inet,local.host=0.0.0.0,local.port=4000,"
                     "remote.type=inet,remote.host=192.0.2.1,remote.port=4001"),
              IsFromArgv("udp:192.0.2.1:4001"));
  EXPECT_THAT(socket(R"({"type": "dgram", "id": "n", "remote": {"type": "inet", )"
                     R"("host": "192.0.2.1", "port": "4001"}})"),
              IsFromArgv("udp:192.0.2.1:4001"));
  EXPECT_THAT(socket("dgram,id=n,local.type=unix,local.path=/run/a.sock"),
              IsFromArgv("unix:/run/a.sock"));
  EXPECT_THAT(socket("stream,id=n,addr.type=inet,addr.host=192.0.2.1,addr.port=4001"),
              IsFromArgv("tcp:192.0.2.1:4001"));
  EXPECT_THAT(socket("socket,id=n,udp=192.0.2.1:4001,localaddr=:4000"),
              IsFromArgv("udp:192.0.2.1:4001"));
  EXPECT_THAT(socket("socket,id=n,mcast=230.0.0.1:1234"), IsFromArgv("mcast:230.0.0.1:1234"));
}

TEST(QemuTest, MemoryInItsForms) {
  EXPECT_THAT(GivenByQemu(Args{"-m", "2G"}).memory.size, IsFromArgv(2048 * kMebi));
  EXPECT_THAT(GivenByQemu(Args{"-m", "512,maxmem=4G"}).memory.max, IsFromArgv(4096 * kMebi));
  EXPECT_THAT(GivenByQemu(Args{"-m", "lots"}).memory.size, IsDefault(128 * kMebi));
  const Given file = GivenByQemu(Args{"-mem-path", "/dev/hugepages", "-mem-prealloc", "-m", "64"});
  ASSERT_THAT(file.memory.backing, SizeIs(1));
  EXPECT_THAT(file.memory.backing[0].path, IsFromArgv("/dev/hugepages"));
}

TEST(QemuTest, CpusInTheirForms) {
  EXPECT_THAT(GivenByQemu(Args{"-smp", "4"}).cpus.max, IsFromArgv(4U));
  EXPECT_THAT(GivenByQemu(Args{"-smp", "cpus=2,maxcpus=6"}).cpus.max, IsFromArgv(6U));
  EXPECT_THAT(GivenByQemu(Args{"-smp", "sockets=2,cores=3,threads=2"}).cpus.start, IsFromArgv(12U));
  EXPECT_THAT(GivenByQemu(Args{"-smp", "sockets=4294967296,cores=4294967296"}).cpus.start,
              IsDefault(1U));
}

TEST(QemuTest, NestingBySignOrProperty) {
  EXPECT_THAT(GivenByQemu(Args{"-cpu", "host,+vmx"}).privileges.nesting, IsFromArgv(true));
  EXPECT_THAT(GivenByQemu(Args{"-cpu", "qemu64,svm"}).privileges.nesting, IsFromArgv(true));
  EXPECT_THAT(GivenByQemu(Args{"-cpu", "host,vmx=on,-vmx"}).privileges.nesting, IsFromArgv(false));
  EXPECT_THAT(GivenByQemu(Args{"-cpu", "host"}).privileges.nesting, IsUnknown());
}

TEST(QemuTest, Monitors) {
  const Given given = GivenByQemu(
      Args{"-qmp", "unix:/run/q.sock,server=on,wait=off", "-monitor",
           "telnet:127.0.0.1:4444,server", "-mon", "chardev=m,mode=readline", "-chardev",
           "socket,id=m,path=/run/m.sock,server,nowait", "-serial", "mon:stdio"});
  ASSERT_THAT(given.monitors, SizeIs(4));
  EXPECT_THAT(given.monitors[0].place, IsFromArgv("unix:/run/q.sock"));
  EXPECT_THAT(given.monitors[1].place, IsFromArgv("telnet:127.0.0.1:4444"));
  EXPECT_THAT(given.monitors[2].kind, IsFromArgv("hmp"));
  EXPECT_THAT(given.monitors[2].place, IsFromArgv("unix:/run/m.sock"));
  EXPECT_THAT(given.monitors[3].place, IsFromArgv("stdio"));
  EXPECT_THAT(GivenByQemu(Args{"-monitor", "none"}).monitors, IsEmpty());
}

TEST(QemuTest, InterfacesInTheirForms) {
  const Given given = GivenByQemu(
      Args{"-netdev",  "user,id=u,net=10.0.2.0/24,hostfwd=tcp::5555-:22",
           "-device",  "e1000,netdev=u,mac=52:54:00:00:00:01",
           "-netdev",  "tap,id=t,ifname=tap7,vhost=on",
           "-netdev",  "vhost-user,id=v,chardev=c",
           "-chardev", "socket,id=c,path=/run/ovs.sock",
           "-nic",     "bridge,br=virbr0,model=virtio,mac=52:54:00:00:00:02",
           "-netdev",  "stream,id=p,addr.type=unix,addr.path=/run/passt.sock,server=off",
           "-nic",     "none",
           "-net",     "nic,model=rtl8139,macaddr=52:54:00:00:00:03",
           "-net",     "tap,ifname=tap0"});
  ASSERT_THAT(given.interfaces, SizeIs(6));
  const given::Interface& user = given.interfaces[0];
  EXPECT_THAT(user.addresses, IsFromArgv(Words{"net 10.0.2.0/24", "hostfwd tcp::5555-:22"}));
  EXPECT_THAT(user.mac, IsFromArgv("52:54:00:00:00:01"));
  EXPECT_THAT(user.device, IsFromArgv(""));
  EXPECT_THAT(user.socket, IsFromArgv(""));
  EXPECT_THAT(given.interfaces[1].device, IsFromArgv("tap7"));
  EXPECT_THAT(given.interfaces[1].vhost, IsFromArgv(true));
  EXPECT_THAT(given.interfaces[1].model, IsUnknown());
  EXPECT_THAT(given.interfaces[2].socket, IsFromArgv("unix:/run/ovs.sock"));
  EXPECT_THAT(given.interfaces[3].bridge, IsFromArgv("virbr0"));
  EXPECT_THAT(given.interfaces[3].mac, IsFromArgv("52:54:00:00:00:02"));
  EXPECT_THAT(given.interfaces[4].socket, IsFromArgv("unix:/run/passt.sock"));
  EXPECT_THAT(given.interfaces[5].device, IsFromArgv("tap0"));
}

TEST(QemuTest, SharedFoldersAndHostDevices) {
  const Given given = GivenByQemu(Args{
      "-virtfs", "local,path=/srv/a,mount_tag=a,security_model=mapped-xattr,readonly=on", "-fsdev",
      "local,id=f,path=/srv/b,security_model=none", "-device", "virtio-9p-pci,fsdev=f,mount_tag=b",
      "-device", "vfio-pci,sysfsdev=/sys/bus/mdev/devices/x/mdev/1,id=m", "-device",
      "vhost-vsock-pci,guest-cid=7", "-chardev", "socket,id=tpm,path=/run/swtpm.sock", "-tpmdev",
      "emulator,id=t,chardev=tpm", "-device", "usb-host,hostbus=1,hostaddr=2"});
  ASSERT_THAT(given.folders, SizeIs(2));
  EXPECT_THAT(given.folders[0].path, IsFromArgv("/srv/a"));
  EXPECT_THAT(given.folders[0].read_only, IsFromArgv(true));
  EXPECT_THAT(given.folders[0].security, IsFromArgv("mapped-xattr"));
  EXPECT_THAT(given.folders[0].socket, IsFromArgv(""));
  EXPECT_EQ(given.folders[1].id, "b");
  EXPECT_THAT(given.folders[1].read_only, IsDefault(false));
  ASSERT_THAT(given.devices, SizeIs(4));
  EXPECT_THAT(given.devices[0].kind, IsFromArgv("vfio-mdev"));
  EXPECT_THAT(given.devices[1].place, IsFromArgv("7"));
  EXPECT_THAT(given.devices[2].place, IsFromArgv("bus 1 address 2"));
  EXPECT_THAT(given.devices[3].place, IsFromArgv("unix:/run/swtpm.sock"));
}

TEST(QemuTest, RightsAndMigration) {
  const Given given = GivenByQemu(Args{
      "-runas", "nobody", "-chroot", "/empty", "-incoming", "exec:curl -u me:hunter2", "-global",
      "migration.multifd=on", "-global", "driver=migration,property=x-colo,value=on", "-global",
      "migration.xbzrle=off", "-only-migratable", "-sandbox", "off"});
  EXPECT_THAT(given.privileges.run_as, IsFromArgv("nobody"));
  EXPECT_THAT(given.privileges.chroot, IsFromArgv("/empty"));
  EXPECT_THAT(given.privileges.sandbox, IsFromArgv("off"));
  EXPECT_THAT(given.migration.incoming, IsFromArgv("exec:***"));
  EXPECT_THAT(given.migration.capabilities, IsFromArgv(Words{"multifd", "x-colo"}));
  EXPECT_THAT(given.migration.only_migratable, IsFromArgv(true));
  EXPECT_THAT(GivenByQemu(Args{"-run-with", "user=10:10,chroot=/e"}).privileges.run_as,
              IsFromArgv("10:10"));
}

TEST(QemuTest, WindowsOfIsaDevices) {
  const Given given =
      GivenByQemu(Args{"-device", "isa-debugcon,iobase=0x402,chardev=c", "-device", "pvpanic",
                       "-device", "isa-serial", "-device", "isa-debugcon,iobase=0x10000"});
  const given::Window told{true, 0x402, 0x402, "isa-debugcon", FactOrigin::kArgv};
  const given::Window usual{true, 0x505, 0x505, "pvpanic", FactOrigin::kDefault};
  EXPECT_THAT(given.windows, Contains(told));
  EXPECT_THAT(given.windows, Contains(usual));
  EXPECT_FALSE(std::ranges::any_of(given.windows, [](const given::Window& window) {
    return window.device == "isa-serial" || window.first == 0x10000;
  }));
}

TEST(QemuTest, ValuesOfOptionsAreNoOptions) {
  const Given given = GivenByQemu(Args{"-append", "-drive", "-S", "-kernel", "-qmp", "-fw_cfg",
                                       "-incoming", "-nodefaults", "-monitor", "none"});
  EXPECT_THAT(given.disks, IsEmpty());
  EXPECT_THAT(given.monitors, IsEmpty());
  EXPECT_THAT(given.migration.incoming, IsDefault("none"));
}

TEST(QemuTest, NoSecretIsKept) {
  const Given given = GivenByQemu(Args{
      "-object",
      "secret,id=s,data=hunter2",
      "-object",
      R"({"qom-type":"secret","id":"t","data":"hunter2"})",
      "-spice",
      "password=hunter2",
      "-drive",
      "file=https://me:hunter2@h/x,format=raw",
      "-blockdev",
      R"({"driver":"rbd","pool":"p","image":"i","user":"hunter2","node-name":"r","key-secret":"s"})",
      "-append",
      "password=hunter2",
      "-fw_cfg",
      "name=opt/x,string=hunter2",
      "-iscsi",
      "user=me,password=hunter2",
      "-vnc",
      ":0,password=hunter2",
      "-smbios",
      "type=11,value=hunter2"});
  EXPECT_THAT(AllText(given), Not(HasSubstr("hunter2")));
}

TEST(CommandLineTest, TheVmmSaysHowItIsRead) {
  ProcessFacts process;
  process.args = {"/usr/bin/qemu-system-x86_64", "-m", "64"};
  EXPECT_THAT(GivenByCommandLine(process, "qemu").memory.size, IsFromArgv(64 * kMebi));
  const Given unknown = GivenByCommandLine(process, "unknown");
  EXPECT_THAT(unknown.memory.size, IsUnknown());
  EXPECT_THAT(unknown.gaps, ElementsAre("the command line: this VMM's is not known"));
  process.args.push_back(std::string(kMaxCommandLine, 'x'));
  EXPECT_THAT(GivenByCommandLine(process, "qemu").gaps,
              Contains(HasSubstr("beyond its first 256 KiB")));
}

}  // namespace
}  // namespace kvmsentry
