// The ring: whatever was sent is read or counted as lost, to the record, each kind of it.
#include <set>
#include <span>
#include <variant>

#include "sensor/base/clock.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kPage = 4096;

// How many records of SIZE bytes find room in a ring of a page: the kernel puts 8 bytes before
// each, and never fills the last byte (kernel/bpf/ringbuf.c).
constexpr size_t RoomFor(size_t size) { return (kPage - 1) / (size + 8); }

class RingTest : public BpfTest {
 protected:
  struct Read {
    uint64_t births = 0;
    uint64_t limits = 0;
    uint64_t canaries = 0;
  };

  // Adds what waits in the ring to read_.
  void Drain() {
    probe().DrainRing([&](std::span<const std::byte> bytes) {
      const absl::StatusOr<Record> record = Decode(bytes);
      ASSERT_OK(record);
      if (std::holds_alternative<VmBorn>(*record)) ++read_.births;
      if (std::holds_alternative<Observation>(*record)) ++read_.limits;
      if (std::holds_alternative<Canary>(*record)) ++read_.canaries;
    });
  }

  // Starts and ends a process of VMS VMs; all of them are registered, told or not.
  void Bear(uint32_t vms) {
    ASSERT_OK_AND_ASSIGN(
        const FinishedGuest guests,
        RunGuest(absl::StrCat("--behaviour spin --count 1 --then exit --vms ", vms)));
    ASSERT_EQ(SlotsOf(guests.pid).size(), vms);
  }

  // Starts a process of VMS VMs of which each will pass a limit at its last access, and so tells it
  // once. On one thread: of several the kernel may skip some (KernelPreemptsPrograms).
  absl::StatusOr<Guest> StartVmsThatPass(uint32_t vms) {
    KVMSENTRY_ASSIGN_OR_RETURN(
        Guest guest, Guest::Start(absl::StrCat(
                         "--behaviour pio --count 101 --then exit --one-thread --vms ", vms)));
    const std::vector<Slot> slots = SlotsOf(guest.pid());
    EXPECT_EQ(slots.size(), vms);
    for (const Slot slot : slots) {
      tables().SetLimits(slot, std::vector<Limit>{{.meter = {SourceId::kKvm, KS_METER_PIO},
                                                   .count = 100,
                                                   .window_ns = 40 * kNsPerSecond}});
    }
    return guest;
  }

  // Waits until this second's budget has room for BIRTHS.
  void WaitForBudget(uint64_t births) {
    ASSERT_TRUE(WaitUntil([&] {
      const ks_state& state = sources_->state().row();
      const auto second = static_cast<uint64_t>(SystemClock().Now().ns / kNsPerSecond);
      return state.births_window != second || state.births_sent + births <= KS_BIRTHS_PER_SECOND;
    }));
  }

  // Each VM of this host, for which a serial was drawn, told its birth, and LIMITS were told.
  void ExpectAllAccountedFor(uint64_t limits) {
    const auto& losses = tables().losses();
    EXPECT_EQ(read_.births + read_.limits + losses.ring_full + losses.over_budget,
              sources_->state().row().next_serial + limits);
  }

  Read read_;
};

TEST_F(RingTest, EveryBirthIsToldOrCountedAsOverBudget) {
  Load();
  for (int i = 0; i < 3; ++i) Bear(64);
  Drain();
  EXPECT_EQ(tables().losses().ring_full, 0U);
  EXPECT_GT(tables().losses().over_budget, 0U);
  ExpectAllAccountedFor(0);
}

TEST_F(RingTest, EveryBirthIsReadOrCountedAsLost) {
  options_.sizes.ring_bytes = kPage;
  Load();
  constexpr size_t kRoom = RoomFor(sizeof(ks_vm_born));
  constexpr uint32_t kVms = 20;
  size_t born = 0;
  for (; born <= kRoom; born += kVms) {
    WaitForBudget(kVms);
    Bear(kVms);
  }
  const auto& losses = tables().losses();
  EXPECT_EQ(losses.ring_full, sources_->state().row().next_serial - losses.over_budget - kRoom);
  Drain();
  EXPECT_EQ(read_.births, kRoom);
  ExpectAllAccountedFor(0);
}

TEST_F(RingTest, EveryLimitPassedIsReadOrCountedAsLost) {
  options_.sizes.ring_bytes = kPage;
  Load();
  constexpr size_t kRoom = RoomFor(sizeof(ks_limit_crossed));
  constexpr uint32_t kVms = 64;
  static_assert(kVms > kRoom);
  ASSERT_OK_AND_ASSIGN(Guest guest, StartVmsThatPass(kVms));
  Drain();
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  EXPECT_EQ(tables().losses().ring_full, kVms - kRoom);
  Drain();
  EXPECT_EQ(read_.limits, kRoom);
  ExpectAllAccountedFor(kVms);
  // What passed the limit is still counted, told or not.
  for (const Slot slot : SlotsOf(guest.pid())) {
    EXPECT_EQ(CountsIn(slot).count[KS_METER_PIO], 101U);
  }
}

TEST_F(RingTest, EveryCanaryIsReadOrRefused) {
  options_.sizes.ring_bytes = kPage;
  Load();
  constexpr size_t kRoom = RoomFor(sizeof(ks_canary));
  size_t refused = 0;
  for (size_t number = 0; number < kRoom + 7; ++number) {
    const absl::Status sent = probe().SendCanary(number);
    if (sent.ok()) continue;
    EXPECT_TRUE(absl::IsResourceExhausted(sent)) << sent;
    ++refused;
  }
  EXPECT_EQ(refused, 7U);
  Drain();
  EXPECT_EQ(read_.canaries, kRoom);
  // Whoever sends it knows: it is no loss of a VM's.
  EXPECT_EQ(tables().losses().ring_full, 0U);
}

// The VM does nothing more, so that no later look tells it.
TEST_F(RingTest, ALimitPassedThatFoundNoRoomIsLeftInItsRow) {
  options_.sizes.ring_bytes = kPage;
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, StartVmsThatPass(2));
  Drain();
  while (probe().SendCanary(0).ok()) continue;
  EXPECT_TRUE(tables().TakeUntold().empty());
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  const std::vector<Slot> slots = SlotsOf(guest.pid());
  const std::vector<ks_limit_crossed> untold = tables().TakeUntold();
  ASSERT_EQ(untold.size(), slots.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    EXPECT_EQ(Decode(std::as_bytes(std::span(&untold[i], 1))).status(), absl::OkStatus());
    EXPECT_EQ(untold[i].meter, static_cast<uint32_t>(KS_METER_PIO));
    EXPECT_EQ(untold[i].counted, 101U);
    EXPECT_EQ(untold[i].max, 100U);
    EXPECT_EQ(untold[i].last, 0x3f8U);
  }
  EXPECT_EQ(std::set({untold[0].header.vm_serial, untold[1].header.vm_serial}),
            std::set({VmIn(slots[0]).serial, VmIn(slots[1]).serial}));
  EXPECT_TRUE(tables().TakeUntold().empty());
}

// Births and limits of many VMs from both sides of a full ring, read while they are told.
TEST_F(RingTest, WhatIsReadWhileItIsToldAddsUp) {
  options_.sizes.ring_bytes = kPage;
  Load();
  constexpr uint32_t kVms = 64;
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t lost = tables().losses().ring_full;
    ASSERT_OK_AND_ASSIGN(Guest guest, StartVmsThatPass(kVms));
    ASSERT_OK(guest.Begin());
    ASSERT_TRUE(WaitUntil([&] { return tables().losses().ring_full > lost; }));
    absl::StatusOr<int> ended;
    ASSERT_TRUE(WaitUntil([&] {
      Drain();
      ended = guest.process().Wait(absl::ZeroDuration());
      return ended.ok();
    }));
    EXPECT_EQ(*ended, 0) << guest.process().Errors();
    Drain();
  }
  EXPECT_GT(read_.births, 0U);
  EXPECT_GT(read_.limits, 0U);
  ExpectAllAccountedFor(uint64_t{kRounds} * kVms);
}

// A storm that finds no room is told at its next look once there is some.
TEST_F(RingTest, AStormThatFoundNoRoomIsToldOnceThereIsSome) {
  options_.sizes.ring_bytes = kPage;
  Load();
  ASSERT_OK_AND_ASSIGN(Guest storm, Guest::Start("--behaviour pio"));
  const Slot slot = SlotOf(storm.pid());
  Drain();
  while (probe().SendCanary(0).ok()) continue;
  tables().SetLimits(slot, std::vector<Limit>{{.meter = {SourceId::kKvm, KS_METER_PIO},
                                               .count = 100,
                                               .window_ns = kNsPerSecond}});
  const uint64_t full = tables().losses().ring_full;
  ASSERT_OK(storm.Begin());
  ASSERT_TRUE(WaitUntil([&] { return tables().losses().ring_full > full + 1; }));
  Drain();
  EXPECT_EQ(read_.canaries, RoomFor(sizeof(ks_canary)));
  EXPECT_TRUE(WaitUntil([&] {
    Drain();
    return read_.limits > 0;
  }));
  ASSERT_OK(storm.Stop());
  ASSERT_OK(storm.Finish());
}

}  // namespace
}  // namespace kvmsentry
