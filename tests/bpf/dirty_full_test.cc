// A dirty ring that fills up. Needs a back end that stops the guest then, as kvm_pvm does not in
// time: runs in the lab.
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

TEST_F(BpfTest, AFullDirtyRingStopsItsGuest) {
  objects_ = {"life", "dirty"};
  Load();
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest("--behaviour dirty --memory-kib 16384 --pages 2500 --count 5000 --then exit"));
  const GuestVcpu& vcpu = guest.report.vcpus.at(0);
  const KvmCounts counts = CountsOf(guest.pid);
  EXPECT_GT(vcpu.ring_full_exits, 2U);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_FULL], vcpu.ring_full_exits);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_PAGE], vcpu.dirty_pages);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_RESET], vcpu.dirty_resets);
  ExpectNoLosses();
}

}  // namespace
}  // namespace kvmsentry
