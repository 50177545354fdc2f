#include "sensor/source/resource/levels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using testing::ElementsAre;

constexpr uint64_t kSecond = 1'000'000'000;

ks_resource_vm Row(uint64_t time_ns) {
  ks_resource_vm row = {};
  row.time_ns = time_ns;
  row.tgid = 1;
  row.quota = KS_NO_LIMIT;
  row.cpu_group = 0x10;
  row.memory_group = 0x20;
  return row;
}

TEST(CpuOfTest, IsInThousandthsOfACpuAndOfItsVcpus) {
  const ks_resource_vm before = Row(kSecond);
  ks_resource_vm now = Row(3 * kSecond);
  now.run = 3 * kSecond;
  const CpuLevels cpu = CpuOf(before, now, 4);
  EXPECT_EQ(cpu.used.value, 1500U);
  EXPECT_EQ(cpu.used.given, 4000U);
  EXPECT_FALSE(cpu.quota);
  EXPECT_FALSE(cpu.throttled);
}

TEST(CpuOfTest, AQuotaIsGivenAndThrottlingIsOfTheTime) {
  ks_resource_vm before = Row(kSecond);
  ks_resource_vm now = Row(2 * kSecond);
  before.quota = now.quota = 20'000'000;
  before.period = now.period = 100'000'000;
  now.run = kSecond / 5;
  before.throttled = kSecond;
  now.throttled = kSecond + kSecond * 4 / 5;
  const CpuLevels cpu = CpuOf(before, now, 1);
  ASSERT_TRUE(cpu.quota);
  EXPECT_EQ(cpu.quota->value, 200U);
  EXPECT_EQ(cpu.quota->given, 200U);
  EXPECT_EQ(cpu.throttled, 800U);
}

TEST(CpuOfTest, AVmmThatWasMovedIsNotThrottledByWhatItsNewCgroupWas) {
  ks_resource_vm before = Row(kSecond);
  ks_resource_vm now = Row(2 * kSecond);
  now.cpu_group = 0x11;
  now.quota = 20'000'000;
  now.period = 100'000'000;
  now.throttled = 100 * kSecond;
  EXPECT_FALSE(CpuOf(before, now, 1).throttled);
}

TEST(CpuOfTest, NothingThatWentBackMakesALevel) {
  ks_resource_vm before = Row(2 * kSecond);
  before.run = kSecond;
  EXPECT_EQ(CpuOf(before, Row(kSecond), 1).used.value, 0U);
  EXPECT_EQ(CpuOf(before, Row(3 * kSecond), 1).used.value, 0U);
}

TEST(WaitingOfTest, IsInTenthsOfAPercentOfTheTime) {
  const std::vector<VcpuTime> vcpus = {{.ran_ns = kSecond / 2, .delay_ns = kSecond / 2},
                                       {.ran_ns = kSecond, .delay_ns = 0}};
  EXPECT_THAT(WaitingOf(vcpus, 0, kSecond), ElementsAre(500, 0));
}

// A lone VM under a quota waits for itself.
TEST(WaitingOfTest, WhatItsOwnQuotaHeldBackIsNoWaiting) {
  const std::vector<VcpuTime> vcpus = {{.ran_ns = 0, .delay_ns = kSecond * 8 / 10}};
  EXPECT_THAT(WaitingOf(vcpus, kSecond * 8 / 10, kSecond), ElementsAre(0));
  EXPECT_THAT(WaitingOf(vcpus, kSecond, kSecond), ElementsAre(0));
}

TEST(WaitingOfTest, ThrottlingIsTakenOffInProportion) {
  const std::vector<VcpuTime> vcpus = {{.ran_ns = 0, .delay_ns = kSecond * 6 / 10},
                                       {.ran_ns = 0, .delay_ns = kSecond * 2 / 10}};
  EXPECT_THAT(WaitingOf(vcpus, kSecond * 4 / 10, kSecond), ElementsAre(300, 100));
}

TEST(WaitingOfTest, AWaitThatBeganEarlierIsNotMoreThanAllOfTheTime) {
  const std::vector<VcpuTime> vcpus = {{.ran_ns = 0, .delay_ns = 5 * kSecond}};
  EXPECT_THAT(WaitingOf(vcpus, 0, kSecond), ElementsAre(1000));
}

TEST(MemoryCountsTest, CountFromTheFirstPassOnAndNeverGoBack) {
  MemoryCounts counts;
  ks_resource_vm row = Row(kSecond);
  row.max_events = 100;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryMaxMeter], 0U);
  row.max_events = 103;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryMaxMeter], 3U);
  row.max_events = 5;  // it cannot, but nothing is lost by it
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryMaxMeter], 3U);
}

TEST(MemoryCountsTest, WhatAnotherCgroupCountedBeforeIsNotTheVms) {
  MemoryCounts counts;
  ks_resource_vm row = Row(kSecond);
  counts.Take(row);
  row.memory_group = 0x21;
  row.max_events = 1000;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryMaxMeter], 0U);
  row.max_events = 1001;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryMaxMeter], 1U);
}

TEST(MemoryCountsTest, AVmmThatIsChosenToBeKilledCountsAlsoWhereItsCgroupCountsNone) {
  MemoryCounts counts;
  ks_resource_vm row = Row(kSecond);
  counts.Take(row);
  row.oom_victims = 1;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryOomKillMeter], 1U);
  row.oom_kills = 1;  // the same kill
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryOomKillMeter], 1U);
}

TEST(MemoryCountsTest, AHelperThatIsKilledElsewhereCountsBesideTheCgroupsOwnKills) {
  MemoryCounts counts;
  ks_resource_vm row = Row(kSecond);
  row.oom_kills = 5;
  counts.Take(row);
  row.oom_victims = 1;
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryOomKillMeter], 1U);
  row.time_ns += 60 * kSecond;
  row.oom_kills = 6;  // another process, long after
  counts.Take(row);
  EXPECT_EQ(counts.counts()[kMemoryOomKillMeter], 2U);
}

}  // namespace
}  // namespace kvmsentry
