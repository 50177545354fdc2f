#include "sensor/daemon/coverage_board.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

std::vector<HookCoverage> AllActive() {
  std::vector<HookCoverage> all;
  for (const Hook& hook : Hooks()) {
    HookCoverage& coverage = all.emplace_back();
    coverage.hook = &hook;
    coverage.coverage = Coverage::kActive;
  }
  return all;
}

std::vector<KvmCounts> Ran(uint64_t returns, uint64_t exits) {
  KvmCounts counts;
  counts.vm = {1};
  counts.count[KS_METER_USERSPACE_EXIT] = returns;
  counts.count[KS_METER_EXIT] = exits;
  counts.count[KS_METER_ENTRY] = exits;
  return {counts};
}

bool IsTold(const CoverageBoard& board, FeatureId feature) {
  return std::ranges::count(board.view()->told, feature) == 1;
}

TEST(CoverageBoard, AHookThatStaysSilentIsNotToldAnyMore) {
  CoverageBoard board(std::make_shared<const SpecLibrary>());
  board.Take(AllActive(), /*more=*/true);
  board.Observe(Ran(0, 0), {});
  EXPECT_TRUE(board.Has("kvm_exit"));
  EXPECT_TRUE(IsTold(board, FeatureNamed("exit.rate")));
  const auto before = board.view();
  board.Observe(Ran(10, 0), {});
  EXPECT_EQ(board.view(), before) << "nothing changed, so nothing is to be worked out again";
  board.Observe(Ran(1000, 0), {});
  EXPECT_FALSE(IsTold(board, FeatureNamed("exit.rate")));
  EXPECT_EQ(std::ranges::count(board.active(), FeatureNamed("exit.rate")), 1)
      << "it is observed all the same: it may yet fire";
}

// What was counted before a hook was attached proves nothing of it.
TEST(CoverageBoard, OnlyWhatComesAfterAttachingIsJudged) {
  CoverageBoard board(std::make_shared<const SpecLibrary>());
  board.Take(AllActive(), /*more=*/true);
  board.Observe(Ran(1000, 0), {});
  EXPECT_TRUE(IsTold(board, FeatureNamed("exit.rate")));
  board.Observe(Ran(2000, 0), {});
  EXPECT_FALSE(IsTold(board, FeatureNamed("exit.rate")));
  board.Take(AllActive(), /*more=*/true);
  board.Observe(Ran(3000, 0), {});
  board.Observe(Ran(4000, 1000), {});
  EXPECT_TRUE(IsTold(board, FeatureNamed("exit.rate")));
}

TEST(CoverageBoard, AnotherLibraryIsShownAtOnce) {
  CoverageBoard board(std::make_shared<const SpecLibrary>());
  board.Take(AllActive(), /*more=*/true);
  Spec spec;
  spec.id = "ours";
  spec.feature = FeatureNamed("pio.rate");
  spec.observe_only = true;
  board.SetLibrary(std::make_shared<const SpecLibrary>(SpecLibrary::FromSpecs({spec})));
  ASSERT_EQ(board.view()->specs.size(), 1U);
  EXPECT_EQ(board.view()->specs[0].id, "ours");
  EXPECT_EQ(board.view()->specs[0].coverage, Coverage::kActive);
  EXPECT_TRUE(board.view()->specs[0].observe_only);
}

TEST(CoverageBoard, ADetachedHookTakesItsFeaturesWithIt) {
  CoverageBoard board(std::make_shared<const SpecLibrary>());
  std::vector<HookCoverage> hooks = AllActive();
  for (HookCoverage& hook : hooks) {
    if (hook.hook->name == "kvm_exit") hook.coverage = Coverage::kUnobservable;
  }
  board.Take(hooks, /*more=*/false);
  EXPECT_FALSE(board.Has("kvm_exit"));
  EXPECT_EQ(std::ranges::count(board.active(), FeatureNamed("exit.rate")), 0);
  EXPECT_FALSE(IsTold(board, FeatureNamed("exit.rate")));
}

}  // namespace
}  // namespace kvmsentry
