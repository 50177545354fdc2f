#include "sensor/daemon/snapshot.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "sensor/source/kvm/counts.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr Slot kSlot = 2;

std::shared_ptr<const VmRecord> Record(uint64_t serial, const std::string& name, bool born_here) {
  auto record = std::make_shared<VmRecord>();
  record->entry.facts.id = {serial};
  record->entry.slot = kSlot;
  record->entry.facts.name = name;
  record->born_here = born_here;
  return record;
}

std::shared_ptr<const Snapshot> OneVm(bool born_here, bool complete) {
  auto snapshot = std::make_shared<Snapshot>();
  auto view = std::make_shared<CoverageBoard::View>();
  view->told = {FeatureNamed("pio.rate")};
  snapshot->coverage = view;
  snapshot->vms = {
      {.record = Record(4, "web", born_here), .score_millipoints = 1500, .open_alerts = 2}};
  KvmCounts counts;
  counts.vm = {4};
  counts.slot = kSlot;
  counts.vcpus = 3;
  counts.born_seen = true;
  counts.incomplete = !complete;
  counts.count[KS_METER_PIO] = 77;
  counts.count[KS_METER_EXIT] = 5;  // of a feature that is not told
  KvmCounts other;
  other.vm = {3};
  other.slot = kSlot - 1;
  snapshot->counts = {std::make_shared<const KvmTally>(std::vector{other, counts})};
  return snapshot;
}

std::vector<VcpuExits> NoExits() { return {}; }

TEST(SnapshotBoard, IsEmptyBeforeTheFirstTick) {
  const SnapshotBoard board(NoExits);
  EXPECT_THAT(board.Vms(true), IsEmpty());
  EXPECT_THAT(board.Specs(), IsEmpty());
  EXPECT_EQ(board.Status().version, "");
}

TEST(SnapshotBoard, AVmIsToldWithWhatItHasCounted) {
  SnapshotBoard board([] {
    std::vector<VcpuExits> exits(2);
    exits[0].vm = {4};
    exits[1].vm = {5};
    return exits;
  });
  board.Post(OneVm(/*born_here=*/true, /*complete=*/true));
  const std::vector<VmView> vms = board.Vms(/*with_exits=*/true);
  ASSERT_THAT(vms, SizeIs(1));
  EXPECT_EQ(vms[0].vm.name, "web");
  EXPECT_EQ(vms[0].score_millipoints, 1500);
  EXPECT_EQ(vms[0].open_alerts, 2U);
  EXPECT_EQ(vms[0].vcpus, 3U);
  EXPECT_TRUE(vms[0].watched);
  EXPECT_TRUE(vms[0].seen_from_birth);
  EXPECT_THAT(vms[0].counts, ElementsAre(Pair("pio.rate", 77U)));
  EXPECT_THAT(vms[0].exits, SizeIs(1));
  EXPECT_THAT(board.Vms(/*with_exits=*/false)[0].exits, IsEmpty());
}

TEST(SnapshotBoard, CountsAreNotCompleteAfterAGap) {
  SnapshotBoard board(NoExits);
  board.Post(OneVm(/*born_here=*/false, /*complete=*/true));
  EXPECT_FALSE(board.Vms(false)[0].seen_from_birth) << "an earlier run saw its birth";
}

TEST(SnapshotBoard, AVmWithoutRoomForAVcpuIsNotWatched) {
  SnapshotBoard board(NoExits);
  board.Post(OneVm(/*born_here=*/true, /*complete=*/false));
  EXPECT_FALSE(board.Vms(false)[0].watched);
  EXPECT_NE(board.Vms(false)[0].unwatched_reason, "");
}

TEST(SnapshotBoard, WhoReadsHoldsNobodyUpAndSeesWholeSnapshots) {
  SnapshotBoard board(NoExits);
  std::atomic<bool> stop = false;
  std::jthread reader([&] {
    while (!stop) {
      const SensorStatus status = board.Status();
      EXPECT_EQ(status.version, status.kernel_release);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->status.version = snapshot->status.kernel_release = std::to_string(i);
    board.Post(std::move(snapshot));
  }
  stop = true;
}

std::shared_ptr<const Snapshot> Counting(int64_t at_ms, uint64_t count) {
  auto snapshot = std::make_shared<Snapshot>(*OneVm(true, true));
  snapshot->at = {at_ms * kNsPerMs};
  KvmCounts counts;
  counts.vm = {4};
  counts.slot = kSlot;
  counts.count[KS_METER_PIO] = count;
  snapshot->counts = {std::make_shared<const KvmTally>(std::vector{counts})};
  return snapshot;
}

// Of the last one to two seconds, whatever the tick.
TEST(SnapshotBoard, TellsWhatCountsRoseByPerSecond) {
  SnapshotBoard board(NoExits);
  board.Post(Counting(10'000, 1'000));
  EXPECT_THAT(board.Vms(false).at(0).rates, IsEmpty()) << "nothing to compare with";
  board.Post(Counting(10'500, 1'100));
  board.Post(Counting(11'000, 1'200));
  board.Post(Counting(11'500, 1'500));
  EXPECT_THAT(board.Vms(false).at(0).rates,
              ElementsAre(Pair("pio.rate", ::testing::DoubleNear(500 / 1.5, 1e-6))));
  board.Post(Counting(12'000, 1'500));
  EXPECT_THAT(board.Vms(false).at(0).rates,
              ElementsAre(Pair("pio.rate", ::testing::DoubleNear(300, 1e-6))));
  board.Post(Counting(13'000, 1'500));
  EXPECT_THAT(board.Vms(false).at(0).rates, IsEmpty()) << "at rest";
}

TEST(SnapshotBoard, TellsMembersOfAVmThatIsWatched) {
  auto snapshot = std::make_shared<Snapshot>(*OneVm(true, true));
  auto seen = std::make_shared<SeenMembers>();
  seen->Note({.time = {5},
              .vm = {4},
              .kind = ObservationKind::kMember,
              .feature = FeatureNamed("pio.port"),
              .value = 0x3f8});
  snapshot->vms[0].members = seen;
  snapshot->library = std::make_shared<const SpecLibrary>();
  SnapshotBoard board(NoExits);
  board.Post(snapshot);
  EXPECT_EQ(board.Members({5}), std::nullopt);
  const auto members = board.Members({4});
  ASSERT_TRUE(members);
  ASSERT_THAT(members->members, SizeIs(1));
  EXPECT_EQ(members->members[0].member.first, 0x3f8U);
  EXPECT_FALSE(members->members[0].judged);
}

}  // namespace
}  // namespace kvmsentry
