// Dirty rings: what KVM puts into them, against what the VMM takes out.
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

TEST_F(BpfTest, PagesInADirtyRingAndItsResets) {
  objects_ = {"life", "dirty"};
  Load();
  // Fewer than fill the ring.
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest("--behaviour dirty --memory-kib 8192 --pages 1000 --count 300 --then exit"));
  const GuestVcpu& vcpu = guest.report.vcpus.at(0);
  const KvmCounts counts = CountsOf(guest.pid);
  EXPECT_GE(vcpu.dirty_pages, 300U);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_PAGE], vcpu.dirty_pages);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_RESET], vcpu.dirty_resets);
  EXPECT_EQ(counts.count[KS_METER_DIRTY_FULL], 0U);
  ExpectNoLosses();
}

TEST_F(BpfTest, AGuestWithoutADirtyRingPutsNoPagesThere) {
  objects_ = {"life", "dirty"};
  Load();
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest("--behaviour pio --direction in --rep 512 --count 5120 --then exit"));
  EXPECT_EQ(CountsOf(guest.pid).count[KS_METER_DIRTY_PAGE], 0U);
}

}  // namespace
}  // namespace kvmsentry
