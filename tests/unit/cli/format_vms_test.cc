#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/format.h"
#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

constexpr char kCalm[] = R"(
    vm { name: "calm" given_name: "calm" vmm: "qemu" pid: 12 uuid: "1f0c" cgroup: "/a" }
    watched: true vcpus: 2 first_seen { seconds: 86400 } seen_from_birth: true
    counts { key: "pio.rate" value: 1234 } rates { key: "pio.rate" value: 12.5 }
    rates { key: "disk.read.byte.rate" value: 3e6 }
    levels { key: "cpu.used" value: 0.5 } levels { key: "cpu.waiting" value: 12.4 }
    levels { key: "memory.resident" value: 62 } levels { key: "memory.huge" value: 2 }
    levels { key: "disk.read.byte.rate" value: 3e6 }
    levels { key: "disk.write.byte.rate" value: 5e5 }
    levels { key: "tap.to_guest.byte.rate" value: 10000 }
    devices { kind: TAP name: "tap0" } devices { kind: VHOST_NET name: "vhost-net" }
    devices { kind: DISK name: "/cd.iso" } devices_left_out: 3)";
constexpr char kHot[] = R"(
    vm { name: "hot" given_name: "hot" pid: 7 } watched: true vcpus: 1 score: 124.6 open_alerts: 4
    silenced_alerts: 1 worst_severity: CRITICAL worst_spec: "score-band" first_seen { seconds: 60 }
    rates { key: "userspace_exit.rate" value: 80004 } rates { key: "pio.rate" value: 41654 })";
constexpr char kUnseen[] =
    R"(vm { name: "vm-7" pid: 7 } unwatched_reason: "no slot was left: raise --max-vms")";

std::vector<v1::VmStatus> Some() {
  return {FromText<v1::VmStatus>(kHot), FromText<v1::VmStatus>(kCalm),
          FromText<v1::VmStatus>(kUnseen)};
}

TEST(FormatVms, ATableThatFits) {
  EXPECT_EQ(FormatVms(Some(), PlainLook()),
            "VM    STATE     SCORE  OPEN   CPU  LEADING RATE          AGE  TOP ALERT\n"
            "hot   CRITICAL  124.6  3+1s     -  userspace_exit 80k/s  24h  score-band\n"
            "calm  ok          0.0     0  0.50  pio 12.5/s             1m  -\n"
            "vm-7  UNSEEN        -     -     -  -                       -  -\n"
            "vm-7 is not watched: no slot was left: raise --max-vms\n");
  EXPECT_EQ(FormatVms({}, PlainLook()), "no VMs\n");
}

TEST(FormatVms, LongNamesAreCutSoThatItFits) {
  v1::VmStatus vm = FromText<v1::VmStatus>(kHot);
  vm.mutable_vm()->set_name(std::string(60, 'n'));
  vm.set_worst_spec(std::string(60, 's'));
  for (const absl::string_view line : absl::StrSplit(FormatVms({vm}, PlainLook()), '\n')) {
    EXPECT_LE(WidthOf(line), 80U) << line;
  }
}

TEST(FormatVms, WideShowsMoreAndCutsNothing) {
  const std::string text = FormatVms(Some(), PlainLook(kAnyWidth));
  EXPECT_NE(
      text.find("calm  ok          0.0     0  -               2  0.50    12%  64 MiB  3.5 MB/s"
                "  10 kB/s  pio 12.5/s"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("userspace_exit 80k/s, pio 41.7k/s"), std::string::npos) << text;
}

TEST(FormatVm, OneInFullWithItsAlerts) {
  EXPECT_EQ(FormatVm(FromText<v1::VmStatus>(kCalm),
                     {FromText<v1::Alert>(R"(state: OPEN severity: INFO vm { name: "calm" }
                        spec_id: "s" at { seconds: 86400 } summary: "VM \"calm\": x")")},
                     PlainLook()),
            "calm  ok  score 0.0, 1 open: 1 INFO\n"
            "watched   from birth, since 1970-01-02 00:00:00 (1m)\n"
            "vmm       qemu, pid 12, uuid 1f0c\n"
            "cgroup    /a\n"
            "CPU       2 vCPUs, 0.50 CPUs used, waiting 12%\n"
            "memory    64 MiB\n"
            "traffic   disk 3.5 MB/s, net 10 kB/s\n"
            "rates     pio 12.5/s\n"
            "devices   tap tap0, vhost-net, disk /cd.iso (read only), 3 more\n"
            "\n"
            "00:00:00 + INFO      calm  s     x\n");
  EXPECT_EQ(FormatVm(FromText<v1::VmStatus>(kUnseen), {}, PlainLook()),
            "vm-7  UNSEEN\n"
            "watched   no: no slot was left: raise --max-vms\n"
            "vmm       -, pid 7\n");
}

TEST(FormatCounts, ByFeatureWithWhatTheyAreNow) {
  EXPECT_EQ(FormatCounts({FromText<v1::VmStatus>(kCalm)}, Style(false)),
            "\n"
            "VM    FEATURE   COUNT     NOW\n"
            "calm  pio.rate  1,234  12.5/s\n");
}

}  // namespace
}  // namespace kvmsentry
