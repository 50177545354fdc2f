#include "sensor/source/kvm/nesting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/kvm/exit_reason.h"

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr VmId kVm{7};
const uint32_t kVmrun = exit_member(KS_ISA_SVM, 0x80);
const uint32_t kVmresume = exit_member(KS_ISA_VMX, 24);

KernelTime At(int64_t seconds) { return KernelTime{} + seconds * kNsPerSecond; }

TEST(MayNestTest, IsWhoWasGivenItByNameAndNotByAManagersModel) {
  Given given;
  EXPECT_FALSE(MayNest(given));
  given.privileges.nesting = {true, FactOrigin::kArgv};
  EXPECT_TRUE(MayNest(given));
  given.manager.kind = {"libvirt", FactOrigin::kCgroup};
  EXPECT_FALSE(MayNest(given));
}

TEST(NestingTest, IsOutsideWhereItWasNotGiven) {
  Nesting nesting;
  nesting.Allow(kVm, false);
  nesting.Record(kVm, kVmrun, At(1));
  nesting.Record(kVm, kVmresume, At(1));
  EXPECT_THAT(nesting.Drain(At(1)), UnorderedElementsAre(Pair(kVm, kVmrun), Pair(kVm, kVmresume)));
  EXPECT_THAT(nesting.Drain(At(2)), IsEmpty());
}

TEST(NestingTest, IsNotOutsideWhereItWasGiven) {
  Nesting nesting;
  nesting.Allow(kVm, true);
  nesting.Record(kVm, kVmrun, At(1));
  EXPECT_THAT(nesting.Drain(At(1)), IsEmpty());
}

TEST(NestingTest, WaitsUntilItIsKnownWhatTheVmWasGiven) {
  Nesting nesting;
  nesting.Record(kVm, kVmrun, At(1));
  EXPECT_THAT(nesting.Drain(At(2)), IsEmpty());
  nesting.Allow(kVm, false);
  EXPECT_THAT(nesting.Drain(At(3)), UnorderedElementsAre(Pair(kVm, kVmrun)));
}

TEST(NestingTest, WaitsForNoLongerThanAMinute) {
  Nesting nesting;
  nesting.Record(kVm, kVmrun, At(1));
  nesting.Record(kVm, kVmrun, At(50));
  EXPECT_THAT(nesting.Drain(At(60)), IsEmpty());
  EXPECT_THAT(nesting.Drain(At(61)), UnorderedElementsAre(Pair(kVm, kVmrun)));
  nesting.Record(kVm, kVmrun, At(62));
  EXPECT_THAT(nesting.Drain(At(62)), UnorderedElementsAre(Pair(kVm, kVmrun)));
}

TEST(NestingTest, OtherExitsAndForgottenVmsAreNothing) {
  Nesting nesting;
  nesting.Allow(kVm, false);
  nesting.Record(kVm, exit_member(KS_ISA_SVM, 0x72), At(1));  // CPUID
  nesting.Record(kVm, kVmrun, At(1));
  nesting.Forget(kVm);
  EXPECT_THAT(nesting.Drain(At(1)), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
