#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "sensor/source/kvm/members.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kPort = FeatureNamed("pio.port");

std::vector<Spec> Deny() { return {DenySpec("deny", kPort, {{0x510, 0x511}}, kNsPerSecond)}; }

TEST(EngineSetTest, NormalMembersAreSilent) {
  OneVm deny(Deny());
  deny.Member(kPort, 0x50f, 50);
  deny.Member(kPort, 0x512, 50);
  EXPECT_THAT(deny.Tick(100), IsEmpty());
  OneVm allow({AllowSpec("allow", kPort, {{0x3f8, 0x3ff}}, kNsPerSecond)});
  allow.Member(kPort, 0x3f8, 50);
  allow.Member(kPort, 0x3ff, 50);
  EXPECT_THAT(allow.Tick(100), IsEmpty());
}

TEST(EngineSetTest, AMemberOutsideTheNormOpens) {
  OneVm vm(Deny());
  vm.Member(kPort, 0x510, 50);
  const auto events = vm.Tick(100);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN deny"));
  EXPECT_EQ(events[0].at.ns, 50 * kNsPerMs);
  EXPECT_EQ(events[0].value, 0x510);
  EXPECT_EQ(events[0].value_text, "port 0x510 (fw-cfg-select)");
  EXPECT_EQ(events[0].unit, "port");
}

// What the kernel had no room to tell apart may be anything: it is outside every norm.
TEST(EngineSetTest, WhatIsNotToldApartDeviates) {
  for (const auto& spec : {DenySpec("deny", kPort, {{0x510, 0x511}}, kNsPerSecond),
                           AllowSpec("allow", kPort, {{0x3f8, 0x3ff}}, kNsPerSecond)}) {
    OneVm vm({spec});
    vm.Member(kPort, kUntoldMember, 50);
    const auto events = vm.Tick(100);
    ASSERT_THAT(Brief(events), ElementsAre("OPEN " + spec.id)) << spec.id;
    EXPECT_EQ(events[0].value_text, "more than are told apart");
  }
}

TEST(EngineSetTest, TheSameMemberAgainOnlyCounts) {
  OneVm vm(Deny());
  vm.Member(kPort, 0x510, 50);
  vm.Tick(100);
  for (int64_t t = 150; t < 30'000; t += 100) {
    vm.Member(kPort, 0x510, t);
    EXPECT_THAT(vm.Tick(t + 50), IsEmpty());
  }
  vm.Member(kPort, 0x511, 30'050);
  const auto events = vm.Tick(30'100);
  ASSERT_THAT(Brief(events), ElementsAre("UPDATED deny"));
  EXPECT_EQ(events[0].count, 301U);
  EXPECT_EQ(events[0].evidence.at("members"),
            "port 0x510 (fw-cfg-select), port 0x511 (fw-cfg-data)");
}

TEST(EngineSetTest, ClearsAfterItsWindowWithoutAMember) {
  OneVm vm(Deny());
  vm.Member(kPort, 0x510, 50);
  vm.Tick(100);
  vm.Member(kPort, 0x510, 900);
  EXPECT_THAT(vm.Tick(1'899), IsEmpty());
  EXPECT_THAT(Brief(vm.Tick(1'900)), ElementsAre("CLEARED deny"));
  vm.Member(kPort, 0x511, 2'000);
  const auto events = vm.Tick(2'000);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN deny"));
  EXPECT_EQ(events[0].evidence.at("members"), "port 0x511 (fw-cfg-data)") << "none of before";
  EXPECT_EQ(events[0].count, 1U);
}

TEST(EngineSetTest, WhatDidNotLastIsNotNamedByALaterAlert) {
  std::vector<Spec> specs = Deny();
  specs[0].patience.for_ns = kNsPerSecond;
  OneVm vm(specs);
  vm.Member(kPort, 0x510, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  EXPECT_THAT(vm.Tick(2'000), IsEmpty());
  std::vector<AlertEvent> events;
  for (int64_t at = 2'100; at <= 3'200 && events.empty(); at += 100) {
    vm.Member(kPort, 0x511, at);
    events = vm.Tick(at);
  }
  ASSERT_THAT(Brief(events), ElementsAre("OPEN deny"));
  EXPECT_EQ(events[0].evidence.at("members"), "port 0x511 (fw-cfg-data)");
}

TEST(EngineSetTest, AScanIsOneAlertWithBoundedEvidence) {
  OneVm vm({AllowSpec("allow", kPort, {}, kNsPerSecond)});
  for (uint64_t port = 0; port < 65'536; ++port) vm.Member(kPort, port, 50);
  const auto events = vm.Tick(100);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN allow"));
  EXPECT_EQ(events[0].count, 65'536U);
  EXPECT_EQ(events[0].evidence.at("more_members"), "24");
  EXPECT_EQ(events[0].evidence.at("further_sightings"), "65,504");
  EXPECT_LT(events[0].evidence.at("members").size(), 200U);
  for (uint64_t port = 0; port < 65'536; ++port) vm.Member(kPort, port, 150);
  EXPECT_THAT(vm.Tick(200), IsEmpty()) << "a scan that goes on is no news";
}

TEST(EngineSetTest, MembersOfAnotherFeatureAreNotJudged) {
  OneVm vm(Deny());
  vm.Member(FeatureNamed("msr.written"), 0x510, 50);
  vm.Count(kPort, 0x510, 60);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
