#include "sensor/feature/catalogue.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(CatalogueTest, EveryFeatureIsFoundByItsIdAndItsName) {
  std::set<absl::string_view> names;
  for (const Feature& feature : Catalogue()) {
    EXPECT_EQ(&FeatureOf(feature.id), &feature);
    EXPECT_EQ(FindFeature(feature.name), &feature);
    EXPECT_TRUE(names.insert(feature.name).second) << feature.name;
  }
  EXPECT_EQ(FindFeature("pio"), nullptr);
  EXPECT_EQ(FindFeature(""), nullptr);
}

TEST(CatalogueTest, RatesHaveAMeterAndSetsAField) {
  for (const Feature& feature : Catalogue()) {
    EXPECT_EQ(feature.meter.has_value(), feature.kind == FeatureKind::kRate) << feature.name;
    if (feature.kind != FeatureKind::kSet) continue;
    EXPECT_NE(feature.field, Field::kNone) << feature.name;
  }
}

TEST(CatalogueTest, EveryFeatureBelongsToAPoint) {
  constexpr Point kPoints[] = {Point::kK1, Point::kK2, Point::kK3, Point::kK4,
                               Point::kK5, Point::kK6, Point::kK7, Point::kR1,
                               Point::kR2, Point::kR3, Point::kR4, Point::kR5};
  for (const Feature& feature : Catalogue()) {
    const bool some = std::any_of(std::begin(kPoints), std::end(kPoints),
                                  [&](Point point) { return feature.points.Contains(point); });
    EXPECT_TRUE(some) << feature.name;
    EXPECT_FALSE(feature.points.Contains(Point::kNone)) << feature.name;
  }
}

TEST(CatalogueTest, EveryMeterIsOneFeatureAndOtherNumbersAreNone) {
  for (uint32_t meter = 0; meter < KS_METER_COUNT; ++meter) {
    ASSERT_NE(FeatureOfMeter(meter), nullptr) << meter;
    EXPECT_EQ(*FeatureOfMeter(meter)->meter, meter);
  }
  EXPECT_EQ(FeatureOfMeter(KS_METER_COUNT), nullptr);
  EXPECT_EQ(FeatureOfMeter(UINT32_MAX), nullptr);
}

TEST(CatalogueTest, AMisspeltNameLeadsToTheOneThatWasMeant) {
  EXPECT_EQ(NearestFeature("pio.rat").id, FeatureId::kPioRate);
  EXPECT_EQ(NearestFeature("mmoi.rate").id, FeatureId::kMmioRate);
  EXPECT_EQ(NearestFeature("msr.fault.rat").id, FeatureId::kMsrFaultRate);
  NearestFeature("");
  NearestFeature(std::string(1 << 20, 'x'));  // however long
}

TEST(CatalogueTest, MembersAreSaidInWords) {
  EXPECT_EQ(MemberText(Field::kPort, 0x3f8), "port 0x3f8 (com1)");
  EXPECT_EQ(MemberText(Field::kPort, 0x1234), "port 0x1234");
  EXPECT_EQ(MemberText(Field::kMsr, 0xc0000082), "MSR LSTAR (0xc0000082)");
  EXPECT_EQ(MemberText(Field::kMsr, 0xdead0000), "MSR 0xdead0000");
  EXPECT_EQ(MemberText(Field::kExitReason, 6), "MMIO");
  EXPECT_EQ(MemberText(Field::kExitReason, 63), "exit reason 63");
  EXPECT_EQ(MemberText(Field::kGuestAddress, 0xd0000000), "guest address 0xd0000000");
}

}  // namespace
}  // namespace kvmsentry
