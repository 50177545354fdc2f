// What the canary VM proves, and that it leaves nothing behind.
#include "sensor/probe/canary_vm.h"

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

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

TEST_F(CanaryVmTest, ItsRowSaysWhoMadeIt) {
  objects_ = {"life", "device"};
  Load();
  auto canary = RunCanaryVm();
  ASSERT_OK(canary);
  const Slot slot = SlotOf(static_cast<pid_t>(canary->creator));
  ASSERT_OK(tables().Release(slot));
  EXPECT_TRUE(SlotsOf(static_cast<pid_t>(canary->creator)).empty());
}

}  // namespace
}  // namespace kvmsentry
