// Memory as passes find it, beside the files of cgroups and /proc/PID/status.
#include <bit>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bpf/resource_fixture.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kMib = 1 << 20;

class ResourceMemoryTest : public ResourceTest {
 protected:
  ResourceMemoryTest() { objects_ = {"life", "resource"}; }

  static uint64_t Number(const Cgroup& group, const char* file, const char* word = "") {
    const auto value = group.Read(file, word);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(0);
  }
  // In bytes; the file is in KiB.
  static uint64_t StatusOf(pid_t pid, const char* word) {
    const auto value = NumberOf(absl::StrCat("/proc/", pid, "/status"), word);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(0) * 1024;
  }
};

absl::Status Map(uint64_t bytes, int flags, void** memory) {
  *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);
  if (*memory != MAP_FAILED) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "mmap");
}

// More huge pages of the host's than there were, for as long as it lives.
class HugePages {
 public:
  static constexpr char kFile[] = "/proc/sys/vm/nr_hugepages";
  HugePages() : before_(NumberOf(kFile, "").value_or(0)) { std::ofstream(kFile) << before_ + 2; }
  ~HugePages() { std::ofstream(kFile) << before_; }

 private:
  uint64_t before_;
};

TEST_F(ResourceMemoryTest, AProcessHoldsWhatItsStatusSays) {
  const HugePages huge;
  ASSERT_OK_AND_ASSIGN(Child vmm, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         void *locked = nullptr, *large = nullptr;
                         KVMSENTRY_RETURN_IF_ERROR(Map(24 * kMib, MAP_LOCKED, &locked));
                         KVMSENTRY_RETURN_IF_ERROR(Map(2 * kMib, MAP_HUGETLB, &large));
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(vmm.AwaitPause());
  const pid_t pid = vmm.pid();
  ExpectEqual(
      pid, "VmLck", [&] { return StatusOf(pid, "VmLck:"); },
      [](const ks_resource_vm& row) { return row.locked; });
  EXPECT_GE(PassOver(pid).locked, 24 * kMib);
  ExpectEqual(
      pid, "HugetlbPages", [&] { return StatusOf(pid, "HugetlbPages:"); },
      [](const ks_resource_vm& row) { return row.huge; });
  EXPECT_EQ(PassOver(pid).huge, 2 * kMib);
  // Each CPU keeps a batch of pages to itself before they are added to the count that a pass reads;
  // newer kernels add them up for the file (lib/percpu_counter.c, percpu_counter_batch).
  const auto cpus = static_cast<uint64_t>(sysconf(_SC_NPROCESSORS_ONLN));
  const uint64_t slack = cpus * std::max<uint64_t>(32, 2 * cpus) * 4096 * 3;
  const uint64_t resident = PassOver(pid).resident;
  EXPECT_GE(resident, 24 * kMib - slack);
  EXPECT_NEAR(static_cast<double>(resident), static_cast<double>(StatusOf(pid, "VmRSS:")),
              static_cast<double>(slack));
  ASSERT_OK(vmm.Finish());
}

// As QEMU does where it emulates system management mode: the address space stands in the upper half
// of the slot's number (Documentation/virt/kvm/api.rst, KVM_CAP_MULTI_ADDRESS_SPACE).
TEST_F(ResourceMemoryTest, MemoryThatIsMappedForManagementModeTooIsConfiguredOnce) {
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  const Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  const Fd vcpu(ioctl(vm.get(), KVM_CREATE_VCPU, 0));
  ASSERT_TRUE(vcpu);
  void* memory = nullptr;
  ASSERT_OK(Map(kMib, 0, &memory));
  kvm_userspace_memory_region region{};
  region.memory_size = kMib;
  region.userspace_addr = std::bit_cast<uint64_t>(memory);
  ASSERT_EQ(ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &region), 0);
  EXPECT_EQ(PassOver(getpid()).configured, kMib);
  // Where KVM has no such mode, there is nothing to count twice. The lab's has it.
  if (ioctl(vm.get(), KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) < 2) return;
  region.slot = 1 << 16;
  ASSERT_EQ(ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &region), 0) << strerror(errno);
  EXPECT_EQ(PassOver(getpid()).configured, kMib);
}

TEST_F(ResourceMemoryTest, AGroupHoldsWhatItsFilesSay) {
  ASSERT_OK_AND_ASSIGN(const Cgroup group, Cgroup::Make("memory"));
  const bool unified = Cgroup::IsUnified();
  const char* const usage = unified ? "memory.current" : "memory.usage_in_bytes";
  const char* const limit = unified ? "memory.max" : "memory.limit_in_bytes";
  ASSERT_OK(group.Write(limit, absl::StrCat(32 * kMib)));
  ASSERT_OK_AND_ASSIGN(Child vmm, Child::Fork([&](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_RETURN_IF_ERROR(group.Add(getpid()));
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         void* memory = nullptr;
                         KVMSENTRY_RETURN_IF_ERROR(Map(16 * kMib, 0, &memory));
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(vmm.AwaitPause());
  const pid_t pid = vmm.pid();
  ExpectEqual(
      pid, usage, [&] { return Number(group, usage); },
      [](const ks_resource_vm& row) { return row.memory_used; });
  ExpectEqual(
      pid, limit, [&] { return Number(group, limit); },
      [](const ks_resource_vm& row) { return row.memory_limit; });
  EXPECT_GE(PassOver(pid).memory_used, 16 * kMib);

  // Somebody else in the group wants more than the limit, and is killed for it.
  ASSERT_OK_AND_ASSIGN(Child greedy, Child::Fork([&](const Child::Pause&) -> absl::Status {
                         KVMSENTRY_RETURN_IF_ERROR(group.Add(getpid()));
                         std::ofstream("/proc/self/oom_score_adj") << 1000;
                         void* memory = nullptr;
                         return Map(64 * kMib, 0, &memory);
                       }));
  EXPECT_FALSE(greedy.AwaitEnd().ok());
  const auto expect_events = [&](const char* file, const char* word,
                                 uint64_t ks_resource_vm::*count) {
    ExpectEqual(
        pid, word, [&] { return Number(group, file, word); },
        [count](const ks_resource_vm& row) { return row.*count; });
    EXPECT_GE(PassOver(pid).*count, 1U) << word;
  };
  // Version 1 has no file for the others.
  const char* const events = unified ? "memory.events" : "memory.oom_control";
  expect_events(events, "oom_kill", &ks_resource_vm::oom_kills);
  if (unified) {
    expect_events(events, "oom", &ks_resource_vm::oom_events);
    expect_events(events, "max", &ks_resource_vm::max_events);
    ASSERT_OK(group.Write("memory.high", absl::StrCat(8 * kMib)));
    ASSERT_OK_AND_ASSIGN(Child more, Child::Fork([&](const Child::Pause&) -> absl::Status {
                           KVMSENTRY_RETURN_IF_ERROR(group.Add(getpid()));
                           void* memory = nullptr;
                           return Map(kMib, 0, &memory);
                         }));
    ASSERT_OK(more.AwaitEnd());
    expect_events(events, "high", &ks_resource_vm::high_events);
  }
  ASSERT_OK(vmm.Finish());
}

}  // namespace
}  // namespace kvmsentry
