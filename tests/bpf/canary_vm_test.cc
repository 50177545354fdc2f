// What the canary VM proves, and that it leaves nothing behind.
#include "sensor/probe/canary_vm.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "tests/bpf/fixture.h"
#include "tests/support/refuse.h"

namespace kvmsentry {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

class CanaryVmTest : public BpfTest {
 protected:
  std::set<std::string> Named(Coverage wanted) const {
    std::set<std::string> names;
    for (const HookCoverage& hook : probe().coverage()) {
      if (hook.coverage == wanted) names.emplace(hook.hook->name);
    }
    return names;
  }
};

TEST_F(CanaryVmTest, WhatItMakesFireIsActiveAndTheRestOnlyAttached) {
  objects_ = {"life", "device", "msr", "userspace", "inject"};
  Load();
  EXPECT_EQ(probe().NoteFired(), 0U);
  ASSERT_OK(RunCanaryVm());
  probe().JudgeByCanary();
  EXPECT_THAT(Named(Coverage::kActive), IsSupersetOf({"kvm_track_tsc", "kvm_pio", "kvm_mmio",
                                                      "kvm_msr", "kvm_userspace_exit"}));
  EXPECT_THAT(Named(Coverage::kAttached), Contains("kvm_inj_exception"));
  ExpectNoLosses();
}

// A hook that the canary does not reach, as on a back end that never raises it.
TEST_F(CanaryVmTest, AHookThatStaysSilentIsUnobservableUntilItFires) {
  objects_ = {"life", "device"};
  Load();
  probe().JudgeByCanary();  // of a canary that never ran
  EXPECT_THAT(Named(Coverage::kUnobservable), IsSupersetOf({"kvm_pio", "kvm_track_tsc"}));
  ASSERT_OK(RunCanaryVm());
  EXPECT_GE(probe().NoteFired(), 2U);
  EXPECT_THAT(Named(Coverage::kUnobservable), Not(Contains("kvm_pio")));
  EXPECT_THAT(Named(Coverage::kActive), IsSupersetOf({"kvm_pio", "kvm_track_tsc"}));
}

// A hook on several functions is not known to work before each of them was seen.
TEST_F(CanaryVmTest, AHookOfWhichOneFunctionFiredIsNotActiveYet) {
  objects_ = {"life", "ioctl"};
  Load();
  const auto ioctls = [this]() -> const HookCoverage& {
    return *std::ranges::find(probe().coverage(), "kvm_vm_ioctl",
                              [](const HookCoverage& hook) { return hook.hook->name; });
  };
  if (ioctls().coverage == Coverage::kDegraded) return;  // one program sees all of them
  {
    const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    const Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
    ASSERT_GE(ioctl(vm.get(), KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP), 0);
  }
  EXPECT_EQ(probe().NoteFired(), 1U);
  EXPECT_EQ(probe().NoteFired(), 0U);
  EXPECT_EQ(ioctls().coverage, Coverage::kAttached);
  EXPECT_THAT(ioctls().reason,
              AllOf(StartsWith("1 of 3 programs have fired, not yet kvm_vcpu_ioctl_"),
                    HasSubstr(", kvm_device_ioctl_")));
  ASSERT_OK(RunCanaryVm());
  probe().JudgeByCanary();
  EXPECT_EQ(ioctls().coverage, Coverage::kActive) << ioctls().reason;
  EXPECT_EQ(ioctls().reason, "");
}

// Also of one that fails when its row is made already: nobody else knows that it is no VM.
TEST_F(CanaryVmTest, TheThreadThatRanItMadeItsRow) {
  objects_ = {"life"};
  Load();
  ASSERT_OK(RunCanaryVm());
  EXPECT_EQ(SlotsOf(getpid()).size(), 1U);
  pid_t creator = 0;
  std::thread([&creator] {
    creator = static_cast<pid_t>(syscall(SYS_gettid));
    ASSERT_OK(RefuseIoctl(KVM_RUN));
    EXPECT_FALSE(RunCanaryVm().ok());
  }).join();
  ASSERT_EQ(SlotsOf(creator).size(), 1U);
  ASSERT_OK(tables().Release(SlotOf(creator)));
  EXPECT_TRUE(SlotsOf(creator).empty());
}

}  // namespace
}  // namespace kvmsentry
