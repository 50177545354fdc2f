#include "sensor/probe/sight.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"

#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Extent = Sight::Extent;

bool IsOfKvm(const HookCoverage& hook) { return absl::StartsWith(hook.hook->name, "kvm_"); }

class SightTest : public ::testing::Test {
 protected:
  SightTest() {
    for (const Hook& hook : Hooks()) {
      hooks_.push_back(
          {.hook = &hook, .coverage = Coverage::kActive, .variant = "tp_btf", .reason = {}});
    }
  }

  void Miss(HookCoverage& hook) {
    hook.coverage = Coverage::kUnobservable;
    hook.reason = "no such thing";
  }
  // The first COUNT hooks on KVM but its births.
  void MissFirst(size_t count) {
    for (HookCoverage& hook : hooks_) {
      if (count == 0) break;
      if (!IsOfKvm(hook) || hook.hook->name == "kvm_track_tsc") continue;
      Miss(hook);
      --count;
    }
  }
  size_t OfKvm() const { return static_cast<size_t>(std::ranges::count_if(hooks_, IsOfKvm)); }

  std::vector<HookCoverage> hooks_;
};

TEST_F(SightTest, AllHooksAreEnough) {
  EXPECT_EQ(SightOf(hooks_).extent, Extent::kEnough);
  EXPECT_EQ(SightOf(hooks_).detail, "");
}

TEST_F(SightTest, HalfOfThemAreEnoughAndOneLessIsLittle) {
  const size_t half = OfKvm() / 2;
  MissFirst(half);
  EXPECT_EQ(SightOf(hooks_).extent, Extent::kEnough);
  MissFirst(half + 1);
  const Sight sight = SightOf(hooks_);
  EXPECT_EQ(sight.extent, Extent::kLittle);
  EXPECT_THAT(sight.detail, HasSubstr(absl::StrCat(half + 1, " of the ", OfKvm(), " hooks")));
  EXPECT_THAT(sight.detail, HasSubstr("kvm_pio: no such thing"));
}

TEST_F(SightTest, WithoutBirthsItIsLittle) {
  for (HookCoverage& hook : hooks_) {
    if (hook.hook->name == "kvm_track_tsc") Miss(hook);
  }
  const Sight sight = SightOf(hooks_);
  EXPECT_EQ(sight.extent, Extent::kLittle);
  EXPECT_THAT(sight.detail, HasSubstr("births of VMs are not seen (kvm_track_tsc: no such thing)"));
}

TEST_F(SightTest, WhatIsDegradedIsSeen) {
  for (HookCoverage& hook : hooks_) hook.coverage = Coverage::kDegraded;
  EXPECT_EQ(SightOf(hooks_).extent, Extent::kEnough);
}

TEST_F(SightTest, WithoutAnyHookOnKvmItIsNothingWhateverElseIsAttached) {
  for (HookCoverage& hook : hooks_) {
    if (IsOfKvm(hook)) Miss(hook);
  }
  const Sight sight = SightOf(hooks_);
  EXPECT_EQ(sight.extent, Extent::kNothing);
  EXPECT_THAT(sight.detail, HasSubstr("boot Linux 6.1 or newer"));
}

TEST_F(SightTest, VhostAloneMissingIsEnough) {
  for (HookCoverage& hook : hooks_) {
    if (!IsOfKvm(hook)) Miss(hook);
  }
  EXPECT_EQ(SightOf(hooks_).extent, Extent::kEnough);
}

// Somebody left all off: what they chose is no fault of the kernel's.
TEST_F(SightTest, NoHookToJudgeIsEnough) { EXPECT_EQ(SightOf({}).extent, Extent::kEnough); }

}  // namespace
}  // namespace kvmsentry
