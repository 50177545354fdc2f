#include "sensor/source/limit_rows.h"

#include <gtest/gtest.h>

#include "bpf/kvm/records.h"
#include "bpf/vhost/meters.h"

namespace kvmsentry {
namespace {

class LimitRowsTest : public ::testing::Test {
 protected:
  void Set(const std::vector<Limit>& limits) { SetLimits(SourceId::kKvm, limits, rows_.meters); }
  ks_limit_row& Row(uint32_t meter, size_t i = 0) { return rows_.meters[meter].rows[i]; }

  ks_kvm_limits rows_ = {};
};

constexpr MeterRef kPio = {SourceId::kKvm, KS_METER_PIO};

TEST_F(LimitRowsTest, EachGetsARowOfItsMeterAndThoseNotNamedAreLifted) {
  Set({{kPio, 100, 1000}, {kPio, 7, 10}, {{SourceId::kKvm, KS_METER_IOCTL}, 5, 50}});
  EXPECT_EQ(Row(KS_METER_PIO).max, 100U);
  EXPECT_EQ(Row(KS_METER_PIO, 1).max, 7U);
  EXPECT_EQ(Row(KS_METER_IOCTL).window_ns, 50U);
  Set({{kPio, 100, 1000}});
  EXPECT_EQ(Row(KS_METER_PIO).window_ns, 1000U);
  EXPECT_EQ(Row(KS_METER_PIO, 1).window_ns, 0U);
  EXPECT_EQ(Row(KS_METER_IOCTL).window_ns, 0U);
}

// Sources number their meters alike.
TEST_F(LimitRowsTest, ThoseOfOtherSourcesAndOfNoMeterArePassedOver) {
  Set({{{SourceId::kVhost, KS_METER_VHOST_RUN}, 1, 10}, {{SourceId::kKvm, KS_KVM_METERS}, 1, 10}});
  for (const ks_meter_limits& meter : rows_.meters) {
    for (const ks_limit_row& row : meter.rows) EXPECT_EQ(row.window_ns, 0U);
  }
}

TEST_F(LimitRowsTest, OneThatStaysKeepsWhatWasCounted) {
  Set({{kPio, 100, 1000}});
  Row(KS_METER_PIO).reported_ns = 9;
  Row(KS_METER_PIO).marks[3] = {4, 5};
  Set({{kPio, 100, 1000}});
  EXPECT_EQ(Row(KS_METER_PIO).reported_ns, 9U);
  EXPECT_EQ(Row(KS_METER_PIO).marks[3].counted, 5U);
  Set({{kPio, 101, 1000}});
  EXPECT_EQ(Row(KS_METER_PIO).reported_ns, 0U);
  EXPECT_EQ(Row(KS_METER_PIO).marks[3].counted, 0U);
}

TEST_F(LimitRowsTest, WhatFoundNoRoomInTheRingIsTakenOnce) {
  Set({{kPio, 100, 1000}, {{SourceId::kKvm, KS_METER_MSR}, 3, 10}});
  Row(KS_METER_MSR).untold = 4;
  Row(KS_METER_MSR).untold_ns = 77;
  Row(KS_METER_MSR).untold_last = 0x174;
  std::vector<ks_limit_crossed> taken;
  TakeUntold(SourceId::kKvm, {6}, rows_.meters, &taken);
  TakeUntold(SourceId::kKvm, {6}, rows_.meters, &taken);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].header.vm_serial, 6U);
  EXPECT_EQ(taken[0].header.time_ns, 77U);
  EXPECT_EQ(taken[0].source, KS_SOURCE_KVM);
  EXPECT_EQ(taken[0].meter, KS_METER_MSR);
  EXPECT_EQ(taken[0].counted, 4U);
  EXPECT_EQ(taken[0].last, 0x174U);
}

}  // namespace
}  // namespace kvmsentry
