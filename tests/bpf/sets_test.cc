// Sets: each VM's members, and no other's.
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

using Ports = std::vector<uint16_t>;
using Msrs = std::vector<uint32_t>;

TEST_F(BpfTest, PortsOfTwoVmsDoNotMix) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest low,
                       RunGuest("--behaviour pio --port 0 --count 100 --then exit"));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest high,
                       RunGuest("--behaviour pio --port 0xffff --direction in --count 100 "
                                "--then exit"));
  EXPECT_EQ(tables().TakeMembers(SlotOf(low.pid)).ports, Ports{0});
  EXPECT_EQ(tables().TakeMembers(SlotOf(high.pid)).ports, Ports{0xffff});
  EXPECT_EQ(VcpusIn(SlotOf(high.pid))[0]->last_port, 0xffffU);
}

TEST_F(BpfTest, AMemberIsSeenAgainAfterItWasTaken) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --port 0x3f5"));
  const Slot slot = SlotOf(guest.pid());
  EXPECT_TRUE(tables().TakeMembers(slot).ports.empty());
  ASSERT_OK(guest.Begin());
  for (int i = 0; i < 3; ++i) {
    Ports ports;
    EXPECT_TRUE(WaitUntil([&] {
      ports = tables().TakeMembers(slot).ports;
      return !ports.empty();
    }));
    EXPECT_EQ(ports, Ports{0x3f5});
  }
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
  tables().TakeMembers(slot);
  EXPECT_TRUE(tables().TakeMembers(slot).ports.empty());
}

class MsrSetTest : public BpfTest, public ::testing::WithParamInterface<uint32_t> {};

// The last number of a block, refused or not, and numbers outside the blocks.
TEST_P(MsrSetTest, AWrittenMsrIsAMember) {
  Load();
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest(absl::StrCat("--behaviour msr --count 100 --then exit --msr ", GetParam())));
  const Slot slot = SlotOf(guest.pid);
  EXPECT_EQ(tables().TakeMembers(slot).msrs_written, Msrs{GetParam()});
  EXPECT_TRUE(tables().TakeMembers(slot).msrs_written.empty());
  EXPECT_EQ(VcpusIn(slot)[0]->last_msr, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Msr, MsrSetTest,
                         ::testing::Values(0xc0000082U, 0x1fffU, 0x2000U, 0xc0011fffU, 0x40000ff0U,
                                           0x4b564dffU, 0xdead0000U));

TEST_F(BpfTest, ReadingAnMsrWritesNone) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour msr --direction read --count 100 --then exit"));
  EXPECT_TRUE(tables().TakeMembers(SlotOf(guest.pid)).msrs_written.empty());
}

TEST_F(BpfTest, ExitReasonsAreThoseOfTheGuestsExits) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour mmio --count 100 --then exit"));
  const VmId vm = VmIn(SlotOf(guest.pid));
  uint64_t reasons = 0;
  for (const auto& [of, bits] : tables().TakeExitReasons()) {
    if (of == vm) reasons |= bits;
  }
  constexpr uint64_t kHlt = 5;  // KVM_EXIT_*: at the end, when nothing is left to do
  constexpr uint64_t kMmio = 6;
  EXPECT_EQ(reasons, 1U << kHlt | 1U << kMmio);
  for (const auto& [of, bits] : tables().TakeExitReasons()) EXPECT_NE(of, vm) << bits;
}

}  // namespace
}  // namespace kvmsentry
