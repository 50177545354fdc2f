// Limits: a storm is told, once a second and by what was counted; what only looks like one is not.
#include "sensor/base/clock.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

constexpr int64_t kMs = kNsPerMs;
constexpr int64_t kSecond = kNsPerSecond;

class LimitTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    Load();
  }

  // Starts a guest whose VMs all have LIMITS before they run.
  absl::StatusOr<Guest> StartLimited(absl::string_view behaviour, std::vector<Limit> limits) {
    KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, Guest::Start(behaviour));
    for (const Slot slot : SlotsOf(guest.pid())) tables().SetLimits(slot, limits);
    KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
    return guest;
  }

  // Takes records of VM until there are COUNT.
  std::vector<ks_limit_crossed> WaitForRecords(VmId vm, size_t count) {
    std::vector<ks_limit_crossed> records;
    EXPECT_TRUE(WaitUntil([&] {
      for (const ks_limit_crossed& record : TakeLimitRecords(vm)) records.push_back(record);
      return records.size() >= count;
    })) << records.size()
        << " records where " << count << " are due";
    return records;
  }
};

// On a slow host a storm may outlast the second after which it is told again.
void ExpectASecondApart(const std::vector<ks_limit_crossed>& records) {
  for (size_t i = 1; i < records.size(); ++i) {
    EXPECT_GE(records[i].header.time_ns - records[i - 1].header.time_ns, KS_REPORT_INTERVAL_NS);
  }
}

// A single vCPU cannot pass a limit between two looks: it is told at the very occurrence.
TEST_F(LimitTest, OneVcpuIsToldAtTheFirstOccurrenceAboveTheLimit) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --port 0x3f5 --count 3000 --then exit",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 1000, .window_ns = 40 * kSecond}}));
  ASSERT_OK(guest.Finish());
  const Slot slot = SlotOf(guest.pid());
  const auto records = TakeLimitRecords(VmIn(slot));
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].meter, static_cast<uint32_t>(KS_METER_PIO));
  EXPECT_EQ(records[0].part_index, 0U);
  EXPECT_EQ(records[0].counted, 1001U);
  EXPECT_EQ(records[0].max, 1000U);
  EXPECT_EQ(records[0].window_ns, static_cast<uint64_t>(40 * kSecond));
  EXPECT_EQ(records[0].last, 0x3f5U);
  ExpectASecondApart(records);
  EXPECT_EQ(CountsIn(slot).count[KS_METER_PIO], 3000U);
  ExpectNoLosses();
}

TEST_F(LimitTest, ExactlyTheLimitIsNotAbove) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --count 1000 --then exit",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 1000, .window_ns = 40 * kSecond}}));
  ASSERT_OK(guest.Finish());
  EXPECT_TRUE(TakeLimitRecords(VmIn(SlotOf(guest.pid()))).empty());
}

TEST_F(LimitTest, AStormIsToldOnceASecond) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour mmio --gpa 0xd0001000",
          {{.meter = {SourceId::kKvm, KS_METER_MMIO}, .count = 500, .window_ns = kSecond}}));
  const VmId vm = VmIn(SlotOf(guest.pid()));
  const auto records = WaitForRecords(vm, 3);
  ASSERT_OK(guest.Stop());
  ASSERT_OK_AND_ASSIGN(const GuestReport report, guest.Finish());
  ExpectASecondApart(records);
  for (const ks_limit_crossed& record : records) {
    EXPECT_GT(record.counted, 500U);
    EXPECT_LE(record.counted, report.operations);
    EXPECT_EQ(record.last, 0xd0001000U);
  }
}

TEST_F(LimitTest, TheVcpusOfAVmAreCountedTogetherAndToldOnce) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --vcpus 4 --count 500 --then exit",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 1000, .window_ns = 40 * kSecond}}));
  ASSERT_OK(guest.Finish());
  const auto records = TakeLimitRecords(VmIn(SlotOf(guest.pid())));
  ASSERT_FALSE(records.empty());  // no vCPU alone has passed it
  EXPECT_GT(records[0].counted, 1000U);
  EXPECT_LE(records[0].counted, 2000U);
  ExpectASecondApart(records);
}

TEST_F(LimitTest, TheVmBesideAStormIsNotTold) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --count 3000 --then exit --calm-vms 1",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 100, .window_ns = 40 * kSecond},
           {.meter = {SourceId::kKvm, KS_METER_MMIO}, .count = 1, .window_ns = 40 * kSecond}}));
  ASSERT_OK(guest.Finish());
  const std::vector<Slot> slots = SlotsOf(guest.pid());
  ASSERT_EQ(slots.size(), 2U);
  size_t told = 0;
  probe().DrainRing([&](std::span<const std::byte> bytes) {
    const auto record = Decode(bytes);
    ASSERT_OK(record);
    const auto* crossed = std::get_if<Observation>(&*record);
    if (crossed == nullptr || crossed->vm == VmIn(slots[0])) {
      told += crossed == nullptr ? 0 : 1;
      return;
    }
    EXPECT_NE(crossed->vm, VmIn(slots[1]));
  });
  EXPECT_GE(told, 1U);
}

// Far more than the limit in all, a twentieth of it in any window. A guest makes up for what its
// host did not let it do, so a host that stalls for seconds would make a storm of it.
TEST_F(LimitTest, ASlowTrickleIsNoStorm) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --rate 50 --count 200 --then exit",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 100, .window_ns = 100 * kMs}}));
  ASSERT_OK(guest.Finish());
  const Slot slot = SlotOf(guest.pid());
  EXPECT_TRUE(TakeLimitRecords(VmIn(slot)).empty());
  EXPECT_EQ(CountsIn(slot).count[KS_METER_PIO], 200U);
}

// As fast as a storm, but short: below the rate's limit, above that of a burst.
TEST_F(LimitTest, ABurstIsToldByItsOwnLimitOnly) {
  const Limit rate = {.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 5000, .window_ns = kSecond};
  const Limit burst = {
      .meter = {SourceId::kKvm, KS_METER_PIO}, .count = 200, .window_ns = 30 * kSecond};
  ASSERT_OK_AND_ASSIGN(Guest silent,
                       StartLimited("--behaviour pio --count 600 --then exit", {rate}));
  ASSERT_OK(silent.Finish());
  EXPECT_TRUE(TakeLimitRecords(VmIn(SlotOf(silent.pid()))).empty());
  ASSERT_OK_AND_ASSIGN(Guest told,
                       StartLimited("--behaviour pio --count 600 --then exit", {rate, burst}));
  ASSERT_OK(told.Finish());
  const auto records = TakeLimitRecords(VmIn(SlotOf(told.pid())));
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].counted, 201U);
  for (const ks_limit_crossed& record : records) EXPECT_EQ(record.max, 200U);
}

TEST_F(LimitTest, TwoLimitsOfOneMeterAreToldEachAtItsOwnCount) {
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      StartLimited(
          "--behaviour pio --count 3000 --then exit",
          {{.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 300, .window_ns = 40 * kSecond},
           {.meter = {SourceId::kKvm, KS_METER_PIO}, .count = 1000, .window_ns = 50 * kSecond}}));
  ASSERT_OK(guest.Finish());
  std::map<uint64_t, uint64_t> first;  // counted, by limit
  for (const ks_limit_crossed& record : TakeLimitRecords(VmIn(SlotOf(guest.pid())))) {
    first.try_emplace(record.max, record.counted);
  }
  EXPECT_EQ(first, (std::map<uint64_t, uint64_t>{{300, 301}, {1000, 1001}}));
}

TEST_F(LimitTest, ALimitThatIsSetDuringAStormIsTakenUpAndALiftedOneIsForgotten) {
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour msr --vcpus 2"));
  const Slot slot = SlotOf(guest.pid());
  ASSERT_OK(guest.Begin());
  ASSERT_TRUE(WaitUntil([&] { return CountsIn(slot).count[KS_METER_MSR] > 20000; }));
  EXPECT_TRUE(TakeLimitRecords(VmIn(slot)).empty());
  tables().SetLimits(
      slot, std::vector<Limit>{
                {.meter = {SourceId::kKvm, KS_METER_MSR}, .count = 100, .window_ns = kSecond}});
  const auto records = WaitForRecords(VmIn(slot), 1);
  ASSERT_FALSE(records.empty());
  EXPECT_GT(records[0].counted, 100U);
  EXPECT_EQ(records[0].last, 0x17aU);
  tables().SetLimits(slot, {});
  // A look under way may still tell the old one. What comes after, and after a second in which it
  // would be told again, is too late.
  TakeLimitRecords(VmIn(slot));
  const KernelTime lifted = SystemClock().Now();
  std::vector<ks_limit_crossed> late;
  ASSERT_TRUE(WaitUntil([&] {
    for (const ks_limit_crossed& record : TakeLimitRecords(VmIn(slot))) {
      const KernelTime told{static_cast<int64_t>(record.header.time_ns)};
      if (told > lifted + 100 * kMs) late.push_back(record);
    }
    return SystemClock().Now() > lifted + 3 * kSecond / 2;
  }));
  EXPECT_TRUE(late.empty());
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
}

// Without a limit the program looks every few thousand occurrences. What it then finds to have
// happened since is no burst, and a limit is in force at once, not at the next such look.
TEST_F(LimitTest, ALimitCountsFromWhenItIsSet) {
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --count 3000"));
  const Slot slot = SlotOf(guest.pid());
  ASSERT_OK(guest.Begin());  // calm afterwards: about a hundred exits a second
  ASSERT_TRUE(WaitUntil([&] { return CountsIn(slot).count[KS_METER_PIO] == 3000; }));
  const uint64_t before = CountsIn(slot).count[KS_METER_USERSPACE_EXIT];
  const ks_meter_row& meter = VcpusIn(slot)[0]->meters[KS_METER_USERSPACE_EXIT];
  ASSERT_TRUE(WaitUntil([&] {
    return SystemClock().Now().ns > static_cast<int64_t>(meter.folded_ns) + kSecond / 4;
  }));
  tables().SetLimits(slot, std::vector<Limit>{{.meter = {SourceId::kKvm, KS_METER_USERSPACE_EXIT},
                                               .count = 1000,
                                               .window_ns = kSecond},
                                              {.meter = {SourceId::kKvm, KS_METER_USERSPACE_EXIT},
                                               .count = 5,
                                               .window_ns = 400 * kMs}});
  const auto records = WaitForRecords(VmIn(slot), 1);
  EXPECT_LT(CountsIn(slot).count[KS_METER_USERSPACE_EXIT], before + 1000);
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].max, 5U);
  EXPECT_EQ(records[0].counted, 6U);
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
}

}  // namespace
}  // namespace kvmsentry
