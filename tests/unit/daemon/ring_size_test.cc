#include "sensor/daemon/ring_size.h"

#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/kvm/records.h"
#include "bpf/vfio/records.h"
#include "bpf/vhost/records.h"
#include "bpf/vmm/records.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RingBytes, HoldsAllBudgetsOfASecond) {
  for (const uint32_t vms : {1U, 100U, 512U}) {
    const uint64_t limits =
        uint64_t{vms} *
        (uint64_t{KS_KVM_METERS} + KS_VFIO_METERS + KS_VHOST_METERS + KS_VMM_METERS) *
        KS_LIMITS_PER_METER;
    const uint64_t least = limits * (sizeof(ks_limit_crossed) + 8) +
                           uint64_t{vms} * kActsAtOnce * (sizeof(ks_vmm_act) + 8) +
                           KS_BIRTHS_PER_SECOND * (sizeof(ks_vm_born) + 8) + sizeof(ks_canary) + 8;
    EXPECT_GE(RingBytes(vms), least) << vms;
  }
}

// Larger ones weigh more than they are worth: those that drain it are woken by each record.
TEST(RingBytes, HasAMost) { EXPECT_EQ(RingBytes(65536), RingBytes(1000)); }

TEST(RingBytes, IsASizeThatTheKernelTakes) {
  for (const uint32_t vms : {1U, 7U, 512U, 65536U}) {
    EXPECT_THAT(ProblemWithRingKib(std::to_string(RingBytes(vms) / 1024)), IsEmpty()) << vms;
  }
}

TEST(RingKib, TakesPowersOfTwoFromAPageOnAndNothing) {
  for (const char* text : {"0", "4", "64", "1048576"}) {
    EXPECT_THAT(ProblemWithRingKib(text), IsEmpty()) << text;
  }
}

TEST(RingKib, NamesASizeInPlaceOfAWrongOne) {
  EXPECT_THAT(ProblemWithRingKib("48"), HasSubstr("for instance 64,"));
  EXPECT_THAT(ProblemWithRingKib("1"), HasSubstr("for instance 4,"));
  EXPECT_THAT(ProblemWithRingKib("4194304"), HasSubstr("for instance 1048576,"));
  EXPECT_THAT(ProblemWithRingKib("much"), HasSubstr("much is no number"));
  EXPECT_THAT(ProblemWithRingKib("-4"), HasSubstr("-4 is no number"));
}

}  // namespace
}  // namespace kvmsentry
