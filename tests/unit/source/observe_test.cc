#include "sensor/source/observe.h"

#include <gtest/gtest.h>

#include "bpf/kvm/meters.h"
#include "bpf/vhost/meters.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

class ObserveCountsTest : public ::testing::Test {
 protected:
  std::vector<Observation> Observe(const std::vector<FeatureId>& active, bool lossy = false) {
    std::vector<Observation> out;
    ObserveCounts(SourceId::kKvm, {4}, {5}, active, count_, last_, lossy, &out);
    return out;
  }

  uint64_t count_[KS_KVM_METERS] = {};
  uint64_t last_[KS_KVM_METERS] = {};
};

TEST_F(ObserveCountsTest, MissingIsNotZero) {
  count_[KS_METER_PIO] = 3;
  EXPECT_TRUE(Observe({}).empty());
  // What a set holds does not come from meters.
  const auto out = Observe({FeatureNamed("pio.rate"), FeatureNamed("pio.port")});
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].feature, FeatureNamed("pio.rate"));
}

// Sources number their meters alike.
TEST_F(ObserveCountsTest, TheRatesOfOtherSourcesAreLeftOut) {
  static_assert(static_cast<int>(KS_METER_VHOST_RUN) == static_cast<int>(KS_METER_PIO));
  EXPECT_TRUE(Observe({FeatureNamed("vhost.run.rate")}).empty());
}

TEST_F(ObserveCountsTest, SaysWhatWasCountedWhenAndOfWhom) {
  count_[KS_METER_PIO] = 3;
  last_[KS_METER_PIO] = 0x3f5;
  count_[KS_METER_ENTRY] = 8;
  const auto out = Observe(
      {FeatureNamed("pio.rate"), FeatureNamed("mmio.rate"), FeatureNamed("entry.rate")}, true);
  ASSERT_EQ(out.size(), 3U);
  for (const Observation& observation : out) {
    EXPECT_EQ(observation.time, KernelTime{5});
    EXPECT_EQ(observation.vm, VmId{4});
    EXPECT_EQ(observation.kind, ObservationKind::kCount);
    EXPECT_TRUE(observation.lossy);
  }
  EXPECT_EQ(out[0].value, 3U);
  EXPECT_EQ(out[0].detail, 0x3f5U);
  EXPECT_EQ(out[1].value, 0U);
  EXPECT_EQ(out[1].detail, std::nullopt);  // none was seen
  EXPECT_EQ(out[2].value, 8U);
  EXPECT_EQ(out[2].detail, std::nullopt);  // an entry names nothing
}

}  // namespace
}  // namespace kvmsentry
