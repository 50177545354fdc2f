#include "sensor/inventory/naming.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using Args = std::vector<std::string>;

constexpr char kUuid[] = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
constexpr char kId[] = "41cb92475d2d2b8b93befe133d6df302";

ProcessFacts Vmm(std::string exe, Args args, std::string cgroup = "/") {
  ProcessFacts process;
  process.pid = 100;
  process.comm = "comm";
  args.insert(args.begin(), exe);
  process.exe = std::move(exe);
  process.args = std::move(args);
  process.cgroup = std::move(cgroup);
  return process;
}

ProcessFacts Qemu(Args args, std::string cgroup = "/") {
  return Vmm("/usr/bin/qemu-system-x86_64", std::move(args), std::move(cgroup));
}

TEST(NameVmTest, QemusName) {
  const struct {
    Args args;
    const char* name;
  } kCases[] = {
      {{"-name", "foo"}, "foo"},
      {{"--name", "foo"}, "foo"},
      {{"-name", "guest=foo,debug-threads=on", "-S"}, "foo"},
      {{"-name", "foo,process=bar"}, "foo"},
      {{"-name", "process=bar,guest=foo"}, "foo"},
      {{"-name", "process=bar"}, "vm-100"},
      {{"-name", "debug-threads=on,foo"}, "vm-100"},
      {{"-name", "guest=a,,b,,c,debug-threads=on"}, "a,b,c"},
      {{"-name", "a,,b"}, "a,b"},
      {{"-name", "guest=a,,guest=b"}, "a,guest=b"},
      {{"-name", "guest=a=b"}, "a=b"},
      {{"-name", "guest=first", "-name", "guest=last"}, "last"},
      {{"-name", "guest=foo", "-name", "debug-threads=on"}, "foo"},
      {{"-name", "guest="}, "vm-100"},
      {{"-name", ""}, "vm-100"},
      {{"-name", ",,,"}, ","},
      {{"-name"}, "vm-100"},
      {{"-name=foo"}, "vm-100"},
      {{"-nographic"}, "vm-100"},
      // What the guest's kernel is told is not QEMU's.
      {{"-append", "-name", "evil"}, "vm-100"},
      {{"-name", "foo", "-append", "-name", "evil"}, "foo"},
      {{"-name", "guest=default_testvmi,debug-threads=on"}, "default_testvmi"},  // KubeVirt
      {{"-name", "sandbox-41cb,debug-threads=on"}, "sandbox-41cb"},              // Kata
  };
  for (const auto& c : kCases) {
    const VmNaming naming = NameVm(Qemu(c.args));
    EXPECT_EQ(naming.name, c.name) << testing::PrintToString(c.args);
    EXPECT_EQ(naming.vmm, "qemu");
    EXPECT_EQ(naming.chosen, naming.name != "vm-100");
  }
}

TEST(NameVmTest, QemusUuid) {
  EXPECT_EQ(NameVm(Qemu({"-uuid", kUuid})).uuid, kUuid);
  EXPECT_EQ(NameVm(Qemu({"-uuid", "C7A5FDBD-EDAF-9455-926A-D65C16DB1809"})).uuid, kUuid);
  EXPECT_EQ(NameVm(Qemu({"-uuid", "c7a5fdbd"})).uuid, "");
  EXPECT_EQ(NameVm(Qemu({"-uuid"})).uuid, "");
  EXPECT_EQ(NameVm(Qemu({"-append", "-uuid", kUuid})).uuid, "");
}

TEST(NameVmTest, TheProgramTellsTheVmm) {
  const struct {
    const char* exe;
    const char* vmm;
  } kCases[] = {
      {"/usr/bin/qemu-system-x86_64", "qemu"},
      {"/usr/libexec/qemu-kvm", "qemu"},
      {"/usr/bin/qemu-system-x86_64 (deleted)", "qemu"},
      {"/usr/bin/kvm (deleted)", "qemu"},
      {"/opt/cloud-hypervisor-static", "cloud-hypervisor"},
      {"/firecracker", "firecracker"},
      {"/usr/bin/crosvm", "crosvm"},
      {"/home/qemu/bin/vmm", "unknown"},
      {"vmm", "unknown"},
  };
  for (const auto& c : kCases) EXPECT_EQ(NameVm(Vmm(c.exe, {})).vmm, c.vmm) << c.exe;
}

TEST(NameVmTest, ArgumentsTellTheVmmOnlyWhereTheProgramIsNotToBeSeen) {
  ProcessFacts process = Vmm("/tmp/evil", {});
  process.args[0] = "/usr/bin/qemu-system-x86_64";
  EXPECT_EQ(NameVm(process).vmm, "unknown");
  process.exe = "";
  EXPECT_EQ(NameVm(process).vmm, "qemu");
  process.args.clear();
  process.comm = "firecracker";
  EXPECT_EQ(NameVm(process).vmm, "firecracker");
}

TEST(NameVmTest, CloudHypervisor) {
  const std::string id = kId;
  const struct {
    Args args;
    std::string cgroup, name;
  } kCases[] = {
      {{"--api-socket", "/run/ch/web.sock"}, "/", "web"},
      {{"--api-socket", "path=/run/ch/web.sock"}, "/", "web"},
      {{"--api-socket=/run/ch/web.sock"}, "/system.slice/x.service", "web"},
      {{"--api-socket", "fd=7"}, "/system.slice/ch-web.service", "ch-web"},
      {{}, "/system.slice/ch-web.service", "ch-web"},
      {{}, "/user.slice/user-0.slice/session-4.scope", "vm-100"},
      {{}, "/init.scope", "vm-100"},
      {{}, "/", "vm-100"},
      {{"--api-socket"}, "/", "vm-100"},
      // Kata.
      {{"--api-socket", "/run/vc/vm/" + id + "/clh-api.sock"}, "/", "sandbox-" + id},
      {{"--api-socket", "fd=3"}, "/kubepods/burstable/pod12/kata_" + id, "sandbox-" + id},
      {{},
       "/kubepods.slice/kubepods-pod12.slice/cri-containerd-kata_" + id + ".scope",
       "sandbox-" + id},
      {{}, "/kubepods-pod12.slice:cri-containerd:kata_" + id, "sandbox-" + id},
      {{}, "/kata_overhead/" + id, "sandbox-" + id},
      {{}, "/kata_overhead/kubepods/pod12/" + id, "sandbox-" + id},
      {{}, "/kata_overhead", "vm-100"},
      {{}, "/x/notkata_" + id, "vm-100"},
      {{}, "/x/kata_", "vm-100"},
  };
  for (const auto& c : kCases) {
    const VmNaming naming = NameVm(Vmm("/usr/bin/cloud-hypervisor", c.args, c.cgroup));
    EXPECT_EQ(naming.name, c.name) << testing::PrintToString(c.args) << " in " << c.cgroup;
  }
  EXPECT_EQ(NameVm(Vmm("/usr/bin/cloud-hypervisor",
                       {"--platform", std::string("num_pci_segments=2,uuid=") + kUuid}))
                .uuid,
            kUuid);
}

TEST(NameVmTest, Firecracker) {
  const struct {
    Args args;
    const char *cgroup, *name;
  } kCases[] = {
      {{"--id", "fc1", "--api-sock", "/run/x.socket"}, "/", "fc1"},
      {{"--id=fc1"}, "/", "fc1"},
      {{"--api-sock", "/run/fc2.socket"}, "/", "fc2"},
      {{"--api-sock", "/run/fc2.socket"}, "/p/kata_7", "sandbox-7"},
      {{"--no-api", "--", "--id", "evil"}, "/", "vm-100"},
      {{"--ident", "x"}, "/", "vm-100"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(NameVm(Vmm("/firecracker", c.args, c.cgroup)).name, c.name)
        << testing::PrintToString(c.args);
  }
}

TEST(NameVmTest, Crosvm) {
  EXPECT_EQ(NameVm(Vmm("/usr/bin/crosvm", {"run", "-s", "/run/vm1.sock", "k"})).name, "vm1");
  EXPECT_EQ(NameVm(Vmm("/usr/bin/crosvm", {"run", "--name", "a", "-s", "/run/b.sock"})).name, "a");
}

TEST(NameVmTest, AnUnknownVmmsNameOption) {
  const struct {
    Args args;
    const char* name;
  } kCases[] = {
      {{"--name", "calm"}, "calm"},    {{"-name", "calm"}, "calm"},
      {{"--name=calm"}, "calm"},       {{"--name", "a", "--name", "b"}, "b"},
      {{"--names", "calm"}, "vm-100"}, {{"--", "--name", "calm"}, "vm-100"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(NameVm(Vmm("/usr/bin/kvmsentry-test-guest", c.args)).name, c.name)
        << testing::PrintToString(c.args);
  }
}

TEST(NameVmTest, NamesAreEscapedAndBounded) {
  EXPECT_EQ(NameVm(Qemu({"-name", "a\x1b[31m\nb"})).name, "a\\x1b[31m\\x0ab");
  EXPECT_EQ(NameVm(Qemu({"-name", std::string(60000, 'x')})).name.size(), 256U + 3U);
}

TEST(NameVmTest, AProcessWithoutAnythingIsNamedAfterItsNumber) {
  ProcessFacts process;
  process.pid = 7;
  EXPECT_EQ(NameVm(process), NameUnknownVm(7));
  EXPECT_EQ(NameUnknownVm(7).name, "vm-7");
}

TEST(CanonicalUuidTest, OnlyWholeOnes) {
  EXPECT_EQ(CanonicalUuid(kUuid), kUuid);
  EXPECT_EQ(CanonicalUuid(std::string(kUuid) + "0"), "");
  EXPECT_EQ(CanonicalUuid("c7a5fdbd-edaf-9455-926a-d65c16db180g"), "");
  EXPECT_EQ(CanonicalUuid("c7a5fdbd1edaf-9455-926a-d65c16db1809"), "");
  EXPECT_EQ(CanonicalUuid("------------------------------------"), "");
}

}  // namespace
}  // namespace kvmsentry
