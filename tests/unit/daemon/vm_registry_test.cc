#include "sensor/daemon/vm_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr VmId kVm{4};

absl::Time Wall(KernelTime time) { return absl::FromUnixNanos(time.ns); }

class TakeGivenTest : public ::testing::Test {
 protected:
  TakeGivenTest() {
    VmRecord record;
    record.entry.facts.id = kVm;
    record.entry.facts.pid = 7;
    record.entry.facts.start_ticks = 70;
    registry_.Put(std::move(record));
  }

  static GivenRecords Given(std::optional<KernelTime> changed_at) {
    auto record = std::make_shared<GivenRecord>();
    record->start_ticks = 70;
    record->changed_at = changed_at;
    return {{7, std::move(record)}};
  }

  VmRegistry registry_;
};

TEST_F(TakeGivenTest, TheFirstIsNoChange) {
  EXPECT_EQ(registry_.Find(kVm)->given, nullptr);
  EXPECT_THAT(registry_.TakeGiven(Given(KernelTime{5}), Wall),
              ElementsAre(VmRegistry::TakenGiven{kVm, false}));
  EXPECT_NE(registry_.Find(kVm)->given, nullptr);
}

TEST_F(TakeGivenTest, AChangeIsToldOnceWithItsTime) {
  registry_.TakeGiven(Given(std::nullopt), Wall);
  const GivenRecords changed = Given(KernelTime{9});
  EXPECT_THAT(registry_.TakeGiven(changed, Wall), ElementsAre(VmRegistry::TakenGiven{kVm, true}));
  EXPECT_EQ(registry_.Find(kVm)->given_changed_at, Wall({9}));
  EXPECT_THAT(registry_.TakeGiven(changed, Wall), IsEmpty());
}

TEST_F(TakeGivenTest, WhatAnotherProcessOfThatNumberWasGivenIsNotTaken) {
  auto record = std::make_shared<GivenRecord>();
  record->start_ticks = 71;
  EXPECT_THAT(registry_.TakeGiven({{7, std::move(record)}}, Wall), IsEmpty());
  EXPECT_EQ(registry_.Find(kVm)->given, nullptr);
}

TEST_F(TakeGivenTest, WhatWalksNoLongerFindStays) {
  registry_.TakeGiven(Given(std::nullopt), Wall);
  EXPECT_THAT(registry_.TakeGiven({}, Wall), IsEmpty());
  EXPECT_NE(registry_.Find(kVm)->given, nullptr);
}

}  // namespace
}  // namespace kvmsentry
