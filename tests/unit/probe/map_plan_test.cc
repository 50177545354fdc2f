#include "sensor/probe/map_plan.h"

#include <array>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr std::array kMaps = {MapRow{.name = "things", .size = MapSize::kVms, .value_size = 8},
                              MapRow{.name = "things_used", .size = MapSize::kVmBits}};
constexpr BpfSource kSource = {.name = "thing",
                               .number = 3,
                               .layout_version = 1,
                               .maps = kMaps,
                               .programs = nullptr,
                               .maps_only = nullptr,
                               .hooks = {}};

TEST(MapPlanTest, AMapLiesInTheFolderOfItsSourceAndASharedOneAtTheRoot) {
  const MapPlan plan("/pins", {.max_vms = 100}, {&kSource});
  EXPECT_EQ(plan.PathOf("things"), "/pins/thing/things");
  EXPECT_EQ(plan.PathOf("ring"), "/pins/ring");
  EXPECT_EQ(plan.Find("things"), &kMaps[0]);
  EXPECT_EQ(plan.Find(".bss"), nullptr);
}

TEST(MapPlanTest, BitsFillWholeWords) {
  for (const auto& [vms, words] : {std::pair{1U, 1U}, {64U, 1U}, {65U, 2U}, {10000U, 157U}}) {
    EXPECT_EQ(EntriesOf(MapSize::kVmBits, {.max_vms = vms}), words) << vms;
    EXPECT_EQ(EntriesOf(MapSize::kVms, {.max_vms = vms}), vms);
  }
  EXPECT_EQ(EntriesOf(MapSize::kDeclared, {.max_vms = 5}), 0U);
  EXPECT_EQ(OptionOf(MapSize::kQueueBits), "--max-queues");
}

}  // namespace
}  // namespace kvmsentry
