// Disks and taps as they are counted, beside /proc/diskstats and /proc/net/dev.
#include <bit>
#include <cstdlib>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "sensor/inventory/device_reader.h"
#include "tests/bpf/loop.h"
#include "tests/bpf/resource_fixture.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"
#include "tests/support/temp_dir.h"
#include "tests/vmm/tap.h"

namespace kvmsentry {
namespace {

// The numbers of the line of FILE in which NAME stands.
std::vector<uint64_t> NumbersOf(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields =
        absl::StrSplit(line, absl::ByAnyChar(" :"), absl::SkipEmpty());
    const auto at = std::ranges::find(fields, name);
    if (at == fields.end()) continue;
    std::vector<uint64_t> numbers;
    for (auto field = at + 1; field != fields.end(); ++field) {
      uint64_t number = 0;
      EXPECT_TRUE(absl::SimpleAtoi(*field, &number)) << line;
      numbers.push_back(number);
    }
    return numbers;
  }
  ADD_FAILURE() << file << " has no " << name;
  return std::vector<uint64_t>(32);
}

class ResourceTapTest : public ResourceTest {
 protected:
  ResourceTapTest() { objects_ = {"life", "inventory", "device", "tap"}; }

  ks_resource_tap PassOverTap(uint64_t key) {
    EXPECT_EQ(taps_.Run(++passes_), absl::OkStatus());
    ks_resource_tap tap{};
    EXPECT_EQ(bpf_map_lookup_elem(probe().MapFd("resource_taps"), &key, &tap), 0);
    EXPECT_EQ(tap.pass, passes_) << "the pass did not find the tap";
    return tap;
  }
};

// From the host to TAP: so many small frames.
void SendToGuest(const std::string& tap, int frames) {
  const Fd host(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex(tap.c_str()));
  const std::array<char, 100> bytes{};
  for (int i = 0; i < frames; ++i) {
    // What does not fit the queue may be told to the sender.
    if (sendto(host.get(), bytes.data(), bytes.size(), 0, std::bit_cast<sockaddr*>(&to),
               sizeof(to)) < 0) {
      EXPECT_EQ(errno, ENOBUFS);
    }
  }
}

TEST_F(ResourceTapTest, ATapHasCarriedWhatItsInterfaceSays) {
  ASSERT_OK_AND_ASSIGN(const SmallVm vm, SmallVm::Create());
  ASSERT_OK_AND_ASSIGN(Tap tap, Tap::Open());
  const std::string name = tap.name();
  DeviceReader reader;
  ASSERT_OK(reader.ReadMiscDevices());
  ASSERT_OK_AND_ASSIGN(const DeviceList list,
                       reader.Read(getpid(), [this](int32_t pid, const auto& visit) {
                         return probe().WalkDevices(pid, visit);
                       }));
  const auto device = std::ranges::find(list.devices, DeviceKind::kTap, &Device::kind);
  ASSERT_NE(device, list.devices.end());
  EXPECT_EQ(device->name, name);
  tables_->SetTaps(VmIn(SlotOf(getpid())),
                   {{.address = device->object, .ifindex = device->ifindex}});

  for (int i = 0; i < 7; ++i) ASSERT_OK(tap.Send());
  for (int i = 0; i < 3; ++i) ASSERT_OK(tap.SendNonsense());
  SendToGuest(name, 1100);  // of which the queue holds a thousand

  std::vector<uint64_t> before, after;
  ks_resource_tap found{};
  EXPECT_TRUE(WaitUntil([&] {
    before = NumbersOf("/proc/net/dev", name);
    found = PassOverTap(device->object);
    after = NumbersOf("/proc/net/dev", name);
    return before == after || HasFailure();
  }));
  // net/core/net-procfs.c, dev_seq_printf_stats. What the host receives, the guest has sent.
  EXPECT_EQ(found.ifindex, if_nametoindex(name.c_str()));
  EXPECT_EQ(found.sent_bytes, before[0]);
  EXPECT_EQ(found.sent_packets, before[1]);
  // Of refused frames the driver shows its count of tun interfaces only (drivers/net/tun.c,
  // tap_netdev_ops).
  EXPECT_EQ(found.sent_errors, before[2] + 3);
  EXPECT_EQ(found.sent_drops, before[3]);
  EXPECT_EQ(found.received_bytes, before[8]);
  EXPECT_EQ(found.received_packets, before[9]);
  EXPECT_EQ(found.received_errors, before[10]);
  EXPECT_EQ(found.received_drops, before[11]);
  EXPECT_EQ(found.sent_packets, 7U);
  EXPECT_GE(found.received_drops, 1U);
}

class ResourceDiskTest : public ResourceTest {
 protected:
  ResourceDiskTest() { objects_ = {"life", "resource", "block"}; }
};

TEST_F(ResourceDiskTest, ADiskIsUsedAsDiskstatsSays) {
  constexpr int kReads = 5, kWrites = 3;
  constexpr size_t kRead = 4096, kWrite = 8192;
  ASSERT_OK_AND_ASSIGN(const TempDir folder, TempDir::Make());
  ASSERT_OK_AND_ASSIGN(const Cgroup group, Cgroup::Make("io"));
  const Loop loop = OpenLoop(folder / "image", 1 << 20);
  struct stat stat {};
  ASSERT_EQ(fstat(loop.fd.get(), &stat), 0);
  const std::string name = loop.path.substr(strlen("/dev/"));
  ASSERT_OK_AND_ASSIGN(Child vmm, Child::Fork([&](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_RETURN_IF_ERROR(group.Add(getpid()));
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         pause();
                         void* buffer = std::aligned_alloc(4096, kWrite);
                         for (int i = 0; i < kReads; ++i) {
                           if (pread(loop.fd.get(), buffer, kRead, 0) != kRead)
                             return absl::ErrnoToStatus(errno, "reading");
                         }
                         for (int i = 0; i < kWrites; ++i) {
                           if (pwrite(loop.fd.get(), buffer, kWrite, 0) != kWrite)
                             return absl::ErrnoToStatus(errno, "writing");
                         }
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(vmm.AwaitPause());
  const VmPlace place = PlaceOf(SlotOf(vmm.pid()));
  PassOver(vmm.pid());  // says whose the group is
  const std::vector<uint64_t> before = NumbersOf("/proc/diskstats", name);
  ASSERT_OK(vmm.Continue());
  ASSERT_OK(vmm.AwaitPause());
  const std::vector<uint64_t> after = NumbersOf("/proc/diskstats", name);
  const ks_resource_disks* disks = tables_->Disks(place);
  ASSERT_NE(disks, nullptr) << "no request was counted";
  const uint64_t number = static_cast<uint64_t>(major(stat.st_rdev)) << 20 | minor(stat.st_rdev);
  const auto* disk = std::ranges::find(disks->disks, number, &ks_resource_disk::device);
  ASSERT_NE(disk, std::end(disks->disks));
  // Documentation/admin-guide/iostats.rst; a sector is 512 bytes.
  EXPECT_EQ(disk->reads, after[0] - before[0]);
  EXPECT_EQ(disk->read_bytes, (after[2] - before[2]) * 512);
  EXPECT_EQ(disk->writes, after[4] - before[4]);
  EXPECT_EQ(disk->write_bytes, (after[6] - before[6]) * 512);
  EXPECT_EQ(disk->reads, static_cast<uint64_t>(kReads));
  EXPECT_EQ(disk->write_bytes, kWrites * kWrite);
  EXPECT_EQ(disk->errors, 0U);
  uint64_t timed = 0;
  for (const uint64_t requests : disk->latencies) timed += requests;
  EXPECT_EQ(timed, disk->reads + disk->writes);
  ASSERT_OK(vmm.Finish());
}

}  // namespace
}  // namespace kvmsentry
