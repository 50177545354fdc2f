#include "sensor/source/catalogue.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "bpf/kvm/meters.h"
#include "bpf/vfio/meters.h"
#include "bpf/vhost/meters.h"
#include "bpf/vmm/meters.h"

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

TEST(CatalogueTest, RatesHaveAMeterAndSetsMembers) {
  for (const Feature& feature : Catalogue()) {
    EXPECT_EQ(feature.meter.has_value(), feature.kind == FeatureKind::kRate) << feature.name;
    if (feature.kind != FeatureKind::kSet) continue;
    EXPECT_NE(feature.member, nullptr) << feature.name;
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

// Of those that the kernel holds limits of.
TEST(CatalogueTest, EveryMeterIsOneFeatureAndOtherNumbersAreNone) {
  std::set<MeterRef> meters;
  for (const Feature& feature : Catalogue()) {
    const auto meter = feature.meter_ref();
    if (!meter) continue;
    EXPECT_TRUE(meters.insert(*meter).second) << feature.name;
    EXPECT_EQ(FeatureOfMeter(*meter), &feature);
  }
  EXPECT_EQ(meters.size(),
            size_t{KS_KVM_METERS} + KS_VFIO_METERS + KS_VHOST_METERS + KS_VMM_METERS);
  for (const SourceId source : {SourceId::kKvm, SourceId::kVfio, SourceId::kVhost}) {
    EXPECT_EQ(FeatureOfMeter({source, UINT16_MAX}), nullptr);
  }
}

TEST(CatalogueTest, AFeatureIsOfTheDomainThatListsIt) {
  EXPECT_EQ(SourceName(FindFeature("pio.rate")->source), "kvm");
  EXPECT_EQ(SourceName(FindFeature("vfio.ioctl.rate")->source), "vfio");
  EXPECT_EQ(SourceName(FindFeature("vsock.rx.byte.rate")->source), "vhost");
}

TEST(CatalogueTest, KindsOfMembersAreToldApartByTheirKeys) {
  std::map<absl::string_view, const MemberKind*> kinds;
  for (const Feature& feature : Catalogue()) {
    if (feature.member == nullptr) continue;
    EXPECT_FALSE(feature.member->key.empty()) << feature.name;
    EXPECT_EQ(kinds.try_emplace(feature.member->key, feature.member).first->second, feature.member)
        << feature.name;
  }
}

TEST(CatalogueTest, AMisspeltNameLeadsToTheOneThatWasMeant) {
  EXPECT_EQ(NearestFeature("pio.rat").id, FeatureNamed("pio.rate"));
  EXPECT_EQ(NearestFeature("mmoi.rate").id, FeatureNamed("mmio.rate"));
  EXPECT_EQ(NearestFeature("msr.fault.rat").id, FeatureNamed("msr.fault.rate"));
  NearestFeature("");
  NearestFeature(std::string(1 << 20, 'x'));  // however long
}

}  // namespace
}  // namespace kvmsentry
