// Members that do not fit into 64 bits: texts, addresses, pairs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "sensor/spec/read_members.h"
#include "tests/unit/engine/test_specs.h"
#include "tests/unit/source/test_domain.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "OPEN" of a spec that denies WRITTEN, or not, once MEMBER is seen.
std::vector<std::string> Judge(const MemberKind& kind, const std::string& feature,
                               absl::string_view written, const Member& member,
                               std::string* summary = nullptr) {
  Spec spec = DenySpec("deny", FeatureNamed(feature), {}, kNsPerSecond);
  auto& norm = std::get<SetNorm>(spec.norm);
  const absl::Status added = AddMembers(kind, written, norm);
  EXPECT_TRUE(added.ok()) << added;
  OneVm vm({spec});
  Observation o = Seen(ObservationKind::kMember, {1}, spec.feature, 0, 50);
  o.member = std::make_shared<const Member>(member);
  vm.engine().Observe(o);
  const auto events = vm.Tick(100);
  if (summary != nullptr && !events.empty()) *summary = events[0].summary;
  return Brief(events);
}

Member Ipv4(uint64_t address) { return {.first = 0, .second = 0xffff'0000'0000 | address}; }

TEST(EngineWideTest, ATextIsMatchedByAGlob) {
  std::string summary;
  EXPECT_THAT(Judge(kTestPath, "test.path", "/etc/*", {.text = "/etc/shadow"}, &summary),
              ElementsAre("OPEN deny"));
  EXPECT_EQ(summary, "VM \"web-1\": files opened, forbidden: path /etc/shadow");
  EXPECT_THAT(Judge(kTestPath, "test.path", "/etc/*", {.text = "/var/lib/disk"}), IsEmpty());
}

TEST(EngineWideTest, AnAddressIsMatchedByItsPrefix) {
  std::string summary;
  EXPECT_THAT(Judge(kTestAddress, "test.address", "10.1.0.0/16", Ipv4(0x0a01ffff), &summary),
              ElementsAre("OPEN deny"));
  EXPECT_EQ(summary, "VM \"web-1\": connections, forbidden: address 10.1.255.255");
  EXPECT_THAT(Judge(kTestAddress, "test.address", "10.1.0.0/16", Ipv4(0x0a020000)), IsEmpty());
  const Member local{.first = 0xfe80'0000'0000'0000, .second = 1};
  EXPECT_THAT(Judge(kTestAddress, "test.address", "fe80::/10", local), ElementsAre("OPEN deny"));
  EXPECT_THAT(Judge(kTestAddress, "test.address", "fe80::2", local), IsEmpty());
}

TEST(EngineWideTest, APairIsMatchedByBoth) {
  std::string summary;
  EXPECT_THAT(Judge(kTestPair, "test.pair", "com1->LSTAR", {0x3f8, 0xc0000082, ""}, &summary),
              ElementsAre("OPEN deny"));
  EXPECT_EQ(summary, "VM \"web-1\": pairs, forbidden: pair 0x3f8 (com1)->LSTAR (0xc0000082)");
  EXPECT_THAT(Judge(kTestPair, "test.pair", "com1->LSTAR", {0x3f8, 0xc0000081, ""}), IsEmpty());
  EXPECT_THAT(Judge(kTestPair, "test.pair", "*->LSTAR", {0x60, 0xc0000082, ""}),
              ElementsAre("OPEN deny"));
}

TEST(EngineWideTest, WhatIsNoMemberIsRefused) {
  const auto refused = [](const MemberKind& kind, absl::string_view text) {
    SetNorm norm;
    return !AddMembers(kind, text, norm).ok();
  };
  for (const char* text : {"", "10.0.0", "10.0.0.0/33", "10.0.0.1/8", "fe80::/129", "::/-1", "x"}) {
    EXPECT_TRUE(refused(kTestAddress, text)) << text;
  }
  for (const char* text : {"", "com1", "com1->", "->LSTAR", "nowhere->LSTAR"}) {
    EXPECT_TRUE(refused(kTestPair, text)) << text;
  }
  EXPECT_TRUE(refused(kTestPath, ""));
  EXPECT_TRUE(refused(kTestPath, "/etc/[a"));
  EXPECT_TRUE(refused(kTestPath, "a\nb"));
  EXPECT_TRUE(refused(kTestPath, std::string(kMaxMemberText + 1, 'x')));
}

TEST(EngineWideTest, ALongTextIsCut) {
  std::string summary;
  Judge(kTestPath, "test.path", "*", {.text = std::string(10'000, 'x')}, &summary);
  EXPECT_LT(summary.size(), 300U);
}

}  // namespace
}  // namespace kvmsentry
