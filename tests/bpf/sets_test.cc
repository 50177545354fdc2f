// Sets: each VM's members, and no other's.
#include <algorithm>
#include <span>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

using Places = std::vector<uint64_t>;
using Msrs = std::vector<uint32_t>;

Places PlacesOf(const std::vector<KvmTables::Access>& accesses) {
  Places places;
  for (const KvmTables::Access& access : accesses) places.push_back(access.place);
  return places;
}

// What the VM in SLOT named; nothing where it is not among TAKEN.
KvmTables::Members Of(std::span<const KvmTables::Members> taken, Slot slot) {
  for (const KvmTables::Members& members : taken) {
    if (members.slot == slot) return members;
  }
  return {};
}

TEST_F(BpfTest, PortsOfTwoVmsDoNotMix) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest low,
                       RunGuest("--behaviour pio --port 0 --count 100 --then exit"));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest high,
                       RunGuest("--behaviour pio --port 0xffff --direction in --count 100 "
                                "--then exit"));
  const auto taken = tables().TakeMembers();
  EXPECT_EQ(PlacesOf(Of(taken, SlotOf(low.pid)).ports), Places{0});
  EXPECT_EQ(PlacesOf(Of(taken, SlotOf(high.pid)).ports), Places{0xffff});
  EXPECT_EQ(VcpusIn(SlotOf(high.pid))[0]->meters[KS_METER_PIO].last, 0xffffU);
}

TEST_F(BpfTest, AMemberIsSeenAgainAfterItWasTaken) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --port 0x3f5"));
  const Slot slot = SlotOf(guest.pid());
  EXPECT_TRUE(Of(tables().TakeMembers(), slot).ports.empty());
  ASSERT_OK(guest.Begin());
  for (int i = 0; i < 3; ++i) {
    Places ports;
    EXPECT_TRUE(WaitUntil([&] {
      ports = PlacesOf(Of(tables().TakeMembers(), slot).ports);
      return !ports.empty();
    }));
    EXPECT_EQ(ports, Places{0x3f5});
  }
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
  tables().TakeMembers();
  EXPECT_TRUE(Of(tables().TakeMembers(), slot).ports.empty());
}

class MsrSetTest : public BpfTest, public ::testing::WithParamInterface<uint32_t> {};

// The last number of a block, refused or not, and numbers outside the blocks.
TEST_P(MsrSetTest, AWrittenMsrIsAMember) {
  Load();
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest(absl::StrCat("--behaviour msr --count 100 --then exit --msr ", GetParam())));
  const Slot slot = SlotOf(guest.pid);
  EXPECT_EQ(Of(tables().TakeMembers(), slot).msrs_written, Msrs{GetParam()});
  EXPECT_TRUE(Of(tables().TakeMembers(), slot).msrs_written.empty());
  EXPECT_EQ(VcpusIn(slot)[0]->meters[KS_METER_MSR].last, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Msr, MsrSetTest,
                         ::testing::Values(0xc0000082U, 0x1fffU, 0x2000U, 0xc0011fffU, 0x40000ff0U,
                                           0x4b564dffU, 0xdead0000U));

TEST_F(BpfTest, MembersOfAVmThatIsNotWantedYetWait) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --port 0x3f5 --count 1 --then exit"));
  const Slot slot = SlotOf(guest.pid);
  EXPECT_TRUE(tables().TakeMembers([&](VmId vm) { return vm != VmIn(slot); }).empty());
  EXPECT_EQ(PlacesOf(Of(tables().TakeMembers(), slot).ports), Places{0x3f5});
}

TEST_F(BpfTest, PagesOfMmioAreMembersOnceForEachTake) {
  Load();
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest("--behaviour mmio --gpa 0xd0000ffc --width 4 --count 1000 --then exit"));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest wide,
                       RunGuest("--behaviour mmio --gpa 0xfe000000 --pages 40 --count 1000 "
                                "--then exit"));
  const auto taken = tables().TakeMembers();
  EXPECT_EQ(PlacesOf(Of(taken, SlotOf(guest.pid)).mmio_pages), Places{0xd0000000});
  Places pages = PlacesOf(Of(taken, SlotOf(wide.pid)).mmio_pages);
  std::ranges::sort(pages);
  Places expected;
  for (uint64_t page = 0; page < 40; ++page) expected.push_back(0xfe000000 + page * 4096);
  EXPECT_EQ(pages, expected);
  EXPECT_EQ(Of(taken, SlotOf(wide.pid)).mmio_overflow, 0U);
  EXPECT_TRUE(tables().TakeMembers().empty());
}

// A page far above has the same low bits.
TEST_F(BpfTest, APageIsNotTakenForAnotherOfTheSameLowBits) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour mmio --gpa 0x8d0000000 --count 10 --then exit"));
  EXPECT_EQ(PlacesOf(Of(tables().TakeMembers(), SlotOf(guest.pid)).mmio_pages),
            Places{0x8d0000000});
}

// Which pages have room depends on their hashes; that some have none is said.
TEST_F(BpfTest, MorePagesThanTheTableHoldsAreCounted) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour mmio --gpa 0xd0000000 --pages 512 --count 512 "
                                "--then exit"));
  const KvmTables::Members members = Of(tables().TakeMembers(), SlotOf(guest.pid));
  EXPECT_GT(members.mmio_pages.size(), KS_MMIO_PAGES / 2U);
  EXPECT_LE(members.mmio_pages.size(), static_cast<size_t>(KS_MMIO_PAGES));
  EXPECT_EQ(members.mmio_pages.size() + members.mmio_overflow, 512U);
}

TEST_F(BpfTest, HowAMemberWasAccessedIsTold) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest wide,
                       RunGuest("--behaviour pio --port 0x5658 --width 4 --count 100 --then exit"));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest string,
                       RunGuest("--behaviour pio --port 0x1f0 --direction in --width 2 --rep 16 "
                                "--count 160 --then exit"));
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest page,
      RunGuest("--behaviour mmio --gpa 0xd0000ff8 --width 8 --count 100 --then exit"));
  using Accesses = std::vector<KvmTables::Access>;
  const auto taken = tables().TakeMembers();
  EXPECT_EQ(Of(taken, SlotOf(wide.pid)).ports, (Accesses{{0x5658, 4, 1}}));
  EXPECT_EQ(Of(taken, SlotOf(string.pid)).ports, (Accesses{{0x1f0, 2, 16}}));
  EXPECT_EQ(Of(taken, SlotOf(page.pid)).mmio_pages, (Accesses{{0xd0000000, 8, 1}}));
}

TEST_F(BpfTest, ReadingAnMsrWritesNone) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour msr --direction read --count 100 --then exit"));
  EXPECT_TRUE(Of(tables().TakeMembers(), SlotOf(guest.pid)).msrs_written.empty());
}

TEST_F(BpfTest, ExitReasonsAreThoseOfTheGuestsExits) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour mmio --count 100 --then exit"));
  const Slot slot = SlotOf(guest.pid);
  constexpr uint64_t kHlt = 5;  // KVM_EXIT_*: at the end, when nothing is left to do
  constexpr uint64_t kMmio = 6;
  EXPECT_EQ(Of(tables().TakeMembers(), slot).exit_reasons, 1U << kHlt | 1U << kMmio);
  EXPECT_EQ(Of(tables().TakeMembers(), slot).exit_reasons, 0U);
}

}  // namespace
}  // namespace kvmsentry
