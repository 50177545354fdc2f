#include "sensor/source/observe.h"

#include <vector>

#include <gtest/gtest.h>

#include "bpf/kvm/meters.h"
#include "bpf/vhost/meters.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

class ObserveCountsTest : public ::testing::Test {
 protected:
  std::vector<Count> Observe(const std::vector<FeatureId>& active) {
    std::vector<Count> out;
    const std::vector<const Feature*> rates = MeteredAmong(active);
    ObserveCounts({.now = {5}, .active = active, .rates = rates, .heard = &heard_}, vm_, count_,
                  last_, &out);
    return out;
  }

  VmId vm_{4};
  HeardCounts heard_;
  uint64_t count_[KS_KVM_METERS] = {};
  uint64_t last_[KS_KVM_METERS] = {};
};

TEST_F(ObserveCountsTest, MissingIsNotZero) {
  count_[KS_METER_PIO] = 3;
  EXPECT_TRUE(Observe({}).empty());
  EXPECT_TRUE(Observe({}).empty());
  heard_.ForgetAll();
  // What a set holds does not come from meters.
  const auto out = Observe({FeatureNamed("pio.rate"), FeatureNamed("pio.port")});
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].feature, FeatureNamed("pio.rate"));
}

TEST_F(ObserveCountsTest, WhatWasHeardIsLeftOut) {
  const std::vector<FeatureId> active = {FeatureNamed("pio.rate"), FeatureNamed("mmio.rate")};
  EXPECT_EQ(Observe(active).size(), 2U);
  count_[KS_METER_PIO] = 3;
  const auto out = Observe(active);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].feature, FeatureNamed("pio.rate"));
  EXPECT_TRUE(Observe(active).empty());
  count_[KS_METER_PIO] = 2;
  EXPECT_EQ(Observe(active).size(), 1U) << "tampering shows, too";
}

TEST_F(ObserveCountsTest, WhatOneVmWasHeardWithSaysNothingOfAnother) {
  const std::vector<FeatureId> active = {FeatureNamed("pio.rate"), FeatureNamed("mmio.rate")};
  EXPECT_EQ(Observe(active).size(), 2U);
  vm_ = {5};
  EXPECT_EQ(Observe(active).size(), 2U) << "the first, even of nothing";
  heard_.Forget({4});
  EXPECT_TRUE(Observe(active).empty());
  vm_ = {4};
  EXPECT_EQ(Observe(active).size(), 2U);
}

// The VM's own rate and that of each of its virtqueues are of one counter.
TEST(ObserveQueueTest, OfAPartOnlyItsOwnRatesAreTold) {
  const std::vector<FeatureId> active = {FeatureNamed("vhost.kick.rate"),
                                         FeatureNamed("virtqueue.kick.rate")};
  const std::vector<const Feature*> rates = MeteredAmong(active);
  HeardCounts heard;
  const Sampling sampling{.now = {5}, .active = active, .rates = rates, .heard = &heard};
  uint64_t count[KS_VHOST_METERS] = {};
  const PartId queue{PartKind::kQueue, 1};
  std::vector<Count> out;
  ObserveCounts(sampling, {4}, count, {}, &out);
  ObserveCounts(sampling, {4}, count, {}, &out, queue);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].feature, active[0]);
  EXPECT_EQ(out[0].part, PartId{});
  EXPECT_EQ(out[1].feature, active[1]);
  EXPECT_EQ(out[1].part, queue);
  ObserveCounts(sampling, {4}, count, {}, &out, queue);
  EXPECT_EQ(out.size(), 2U) << "it was heard";
  count[KS_METER_VHOST_KICK] = 1;
  ObserveCounts(sampling, {4}, count, {}, &out, queue);
  EXPECT_EQ(out.size(), 3U);
  EXPECT_EQ(FeatureOfMeter({SourceId::kVhost, KS_METER_VHOST_KICK})->id, active[0])
      << "whose limits the kernel holds";
}

TEST_F(ObserveCountsTest, SaysWhatWasCountedAndOfWhom) {
  count_[KS_METER_PIO] = 3;
  last_[KS_METER_PIO] = 0x3f5;
  count_[KS_METER_ENTRY] = 8;
  const auto out =
      Observe({FeatureNamed("pio.rate"), FeatureNamed("mmio.rate"), FeatureNamed("entry.rate")});
  ASSERT_EQ(out.size(), 3U);
  for (const Count& count : out) EXPECT_EQ(count.vm, VmId{4});
  EXPECT_EQ(out[0].value, 3U);
  EXPECT_EQ(out[0].detail, 0x3f5U);
  EXPECT_EQ(out[1].value, 0U);
  EXPECT_EQ(out[1].detail, std::nullopt);  // none was seen
  EXPECT_EQ(out[2].value, 8U);
  EXPECT_EQ(out[2].detail, std::nullopt);  // an entry names nothing
}

TEST(WentBackTest, ACountThatGoesBackIsOne) {
  const std::vector<uint64_t> before = {10, 20};
  EXPECT_FALSE(WentBack(before, before));
  EXPECT_FALSE(WentBack(before, std::vector<uint64_t>{11, 20}));
  EXPECT_TRUE(WentBack(before, std::vector<uint64_t>{11, 19}));
}

CountsByVm Counted(uint64_t vm, uint64_t kicks) {
  CountsByVm counts(SourceId::kVhost, KS_VHOST_METERS);
  counts.Add({{vm}, 0})[KS_METER_VHOST_KICK] = kicks;
  return counts;
}

TEST(CountsByVmTest, AVmWithoutRowsHasCountedNothing) {
  VmDetails details;
  Counted(4, 7).Show({{4}, 0}, &details);
  EXPECT_EQ(details.counts[FeatureNamed("vhost.kick.rate")], 7U);
  EXPECT_FALSE(details.counts.contains(FeatureNamed("pio.rate")));
  Counted(4, 7).Show({{5}, 0}, &details);
  EXPECT_EQ(details.counts[FeatureNamed("vhost.kick.rate")], 0U);
}

TEST(CountsByVmTest, GoesBackIfACountOfOneVmDoes) {
  EXPECT_FALSE(Counted(4, 7).WentBackSince(Counted(4, 7)));
  EXPECT_FALSE(Counted(4, 0).WentBackSince(Counted(3, 7)));  // which is gone
  EXPECT_TRUE(Counted(4, 6).WentBackSince(Counted(4, 7)));
}

}  // namespace
}  // namespace kvmsentry
