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

TEST(NestingTest, IsOutsideWhereItWasNotGiven) {
  Nesting nesting;
  nesting.Entitle(kVm, false);
  nesting.Take(kVm, kVmrun, At(1));
  nesting.Take(kVm, kVmresume, At(1));
  EXPECT_THAT(nesting.Outside(At(1)),
              UnorderedElementsAre(Pair(kVm, kVmrun), Pair(kVm, kVmresume)));
  EXPECT_THAT(nesting.Outside(At(2)), IsEmpty());
}

TEST(NestingTest, IsNotOutsideWhereItWasGiven) {
  Nesting nesting;
  nesting.Entitle(kVm, true);
  nesting.Take(kVm, kVmrun, At(1));
  EXPECT_THAT(nesting.Outside(At(1)), IsEmpty());
}

TEST(NestingTest, WaitsUntilItIsKnownWhatTheVmWasGiven) {
  Nesting nesting;
  nesting.Take(kVm, kVmrun, At(1));
  EXPECT_THAT(nesting.Outside(At(2)), IsEmpty());
  nesting.Entitle(kVm, false);
  EXPECT_THAT(nesting.Outside(At(3)), UnorderedElementsAre(Pair(kVm, kVmrun)));
}

TEST(NestingTest, WaitsForNoLongerThanAMinute) {
  Nesting nesting;
  nesting.Take(kVm, kVmrun, At(1));
  nesting.Take(kVm, kVmrun, At(50));
  EXPECT_THAT(nesting.Outside(At(60)), IsEmpty());
  EXPECT_THAT(nesting.Outside(At(61)), UnorderedElementsAre(Pair(kVm, kVmrun)));
}

TEST(NestingTest, OtherExitsAndForgottenVmsAreNothing) {
  Nesting nesting;
  nesting.Entitle(kVm, false);
  nesting.Take(kVm, exit_member(KS_ISA_SVM, 0x72), At(1));  // CPUID
  nesting.Take(kVm, kVmrun, At(1));
  nesting.Forget(kVm);
  EXPECT_THAT(nesting.Outside(At(1)), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
