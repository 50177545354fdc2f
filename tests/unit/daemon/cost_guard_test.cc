#include "sensor/daemon/cost_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kBudget = 2;
const Hook kCore{.name = "core", .bpf = {}, .variants = {}, .provides = {}};
const Hook kCheap{.name = "cheap", .bpf = {}, .variants = {}, .provides = {}};
const Hook kDear{.name = "dear", .bpf = {}, .variants = {}, .provides = {}};

HookCost Cost(const Hook& hook, double percent) {
  return {
      .hook = &hook, .optional = &hook != &kCore, .runs = 1, .ns_per_run = 1, .percent = percent};
}

KernelTime At(int64_t seconds) { return {seconds * kNsPerSecond}; }

// Measured every five seconds, from when on.
std::vector<const Hook*> ShedBy(CostGuard& guard, const std::vector<HookCost>& costs, int times,
                                int64_t from = 0) {
  std::vector<const Hook*> shed;
  for (int i = 0; i < times; ++i) {
    const CostGuard::Verdict verdict = guard.Judge(costs, At(from + 5 * i));
    if (verdict.shed != nullptr) shed.push_back(verdict.shed);
    EXPECT_EQ(verdict.restore, nullptr);
  }
  return shed;
}

TEST(CostGuardTest, WithinTheBudgetNothingGoes) {
  CostGuard guard(kBudget);
  EXPECT_THAT(ShedBy(guard, {Cost(kCore, 1), Cost(kCheap, 0.5), Cost(kDear, 0.5)}, 1000),
              IsEmpty());
  EXPECT_EQ(guard.Fault(), "");
}

TEST(CostGuardTest, APeakIsForgiven) {
  CostGuard guard(kBudget);
  for (int round = 0; round < 20; ++round) {
    EXPECT_THAT(ShedBy(guard, {Cost(kDear, 9)}, CostGuard::kPatience - 1), IsEmpty());
    EXPECT_THAT(ShedBy(guard, {Cost(kDear, 1)}, 1), IsEmpty());
  }
}

TEST(CostGuardTest, AboveItTheDearestOptionalHookGoesFirst) {
  CostGuard guard(kBudget);
  const std::vector<HookCost> costs = {Cost(kCore, 1), Cost(kCheap, 2), Cost(kDear, 4)};
  EXPECT_THAT(ShedBy(guard, costs, CostGuard::kPatience - 1), IsEmpty());
  const CostGuard::Verdict verdict = guard.Judge(costs, At(15));
  ASSERT_EQ(verdict.shed, &kDear);
  EXPECT_THAT(verdict.reason, AllOf(HasSubstr("it took 4% of"), HasSubstr("programs 7%"),
                                    HasSubstr("--cost-budget 2"), HasSubstr("after 10 minutes")));
  EXPECT_EQ(guard.Fault(), "dear is shed");
  // Only what lasts takes the next.
  const std::vector<HookCost> rest = {Cost(kCore, 1), Cost(kCheap, 2)};
  EXPECT_THAT(ShedBy(guard, rest, CostGuard::kPatience, 20), testing::ElementsAre(&kCheap));
  EXPECT_EQ(guard.Fault(), "dear is shed; cheap is shed");
}

// A storm of what is never shed must not take the others' hooks.
TEST(CostGuardTest, NothingGoesWhereThatWouldNotHelp) {
  CostGuard guard(kBudget);
  EXPECT_THAT(ShedBy(guard, {Cost(kCore, 9), Cost(kDear, 1)}, 100), IsEmpty());
  EXPECT_EQ(guard.Fault(), "they take 10%, too much of it by hooks that are not optional");
  // Nor what costs next to nothing.
  EXPECT_THAT(ShedBy(guard, {Cost(kCore, 1.95), Cost(kCheap, 0.1)}, 100, 1000), IsEmpty());
  EXPECT_THAT(ShedBy(guard, {Cost(kCore, 1)}, 1, 2000), IsEmpty());
  EXPECT_EQ(guard.Fault(), "");
}

TEST(CostGuardTest, AShedHookComesBackAfterItsRestWhateverElseIsDear) {
  CostGuard guard(kBudget);
  ShedBy(guard, {Cost(kDear, 9)}, CostGuard::kPatience);  // at 10 s
  const int64_t due = 10 + CostGuard::kRestNs / kNsPerSecond;
  EXPECT_EQ(guard.Judge({}, At(due - 1)).restore, nullptr);
  EXPECT_EQ(guard.Judge(std::vector{Cost(kCore, 9)}, At(due)).restore, &kDear);
  EXPECT_EQ(guard.Fault(), "");
  EXPECT_EQ(guard.Judge({}, At(due + 10)).restore, nullptr);
  guard.NotRestored(kDear, At(due + 10));
  EXPECT_EQ(guard.Fault(), "dear is shed");
  EXPECT_EQ(guard.Judge({}, At(2 * due + 10)).restore, &kDear);
}

TEST(CostGuardTest, WithoutABudgetNothingGoes) {
  CostGuard guard(0);
  EXPECT_THAT(ShedBy(guard, {Cost(kDear, 100)}, 100), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
