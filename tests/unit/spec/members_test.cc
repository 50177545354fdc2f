#include "sensor/source/kvm/members.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/spec/read_members.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;

TEST(MembersTest, ReadsNumbersRangesAndNames) {
  const struct {
    const MemberKind& kind;
    const char* text;
    Interval expected;
  } cases[] = {
      {kPort, "0x3f8", {0x3f8, 0x3f8}},
      {kPort, "0X3F8", {0x3f8, 0x3f8}},
      {kPort, "1016", {1016, 1016}},
      {kPort, "0", {0, 0}},
      {kPort, "0xffff", {0xffff, 0xffff}},
      {kPort, "0x60-0x64", {0x60, 0x64}},
      {kPort, "96-0x64", {0x60, 0x64}},
      {kPort, "7-7", {7, 7}},
      {kPort, "com1", {0x3f8, 0x3f8}},
      {kPort, "fdc-fifo", {0x3f5, 0x3f5}},
      {kMsr, "LSTAR", {0xc0000082, 0xc0000082}},
      {kMsr, "0xffffffff", {0xffffffff, 0xffffffff}},
      {kExitReason, "MMIO", {6, 6}},
      {kExitReason, "0-63", {0, 63}},
  };
  for (const auto& c : cases) {
    const auto interval = ReadMembers(c.kind, c.text);
    ASSERT_TRUE(interval.ok()) << c.text << ": " << interval.status();
    EXPECT_EQ(*interval, c.expected) << c.text;
  }
}

TEST(MembersTest, RefusesWhatIsNoMember) {
  for (const char* text : {"",
                           " ",
                           "-",
                           "1-",
                           "-1",
                           "+1",
                           "1 - 2",
                           " 1",
                           "1 ",
                           "0x",
                           "0xg",
                           "1.5",
                           "1-2-3",
                           "COM1",
                           "com1-com2",
                           "LSTAR",
                           "MMIO",
                           "0x10000",
                           "2-65536",
                           "18446744073709551616",
                           "99999999999999999999999999",
                           "5-4",
                           "0x-0x1"}) {
    EXPECT_FALSE(ReadMembers(kPort, text).ok()) << text;
  }
  EXPECT_FALSE(ReadMembers(kMsr, "0x100000000").ok());
  EXPECT_FALSE(ReadMembers(kExitReason, "64").ok());
}

TEST(MembersTest, JoinsOverlapsAndKeepsNeighboursApart) {
  EXPECT_THAT(JoinOverlaps({{5, 9}, {1, 2}, {8, 12}, {3, 3}, {10, 11}, {3, 3}}),
              ElementsAre(Interval{1, 2}, Interval{3, 3}, Interval{5, 12}));
  EXPECT_THAT(JoinOverlaps({}), ElementsAre());
}

TEST(MembersTest, ASetKnowsWhatIsNormal) {
  const SetNorm allow{.allow = true, .members = {{2, 4}, {7, 7}}};
  const SetNorm deny{.allow = false, .members = {{2, 4}, {7, 7}}};
  for (uint64_t member = 0; member < 10; ++member) {
    const bool listed = (member >= 2 && member <= 4) || member == 7;
    EXPECT_EQ(allow.IsNormal(member), listed) << member;
    EXPECT_EQ(deny.IsNormal(member), !listed) << member;
  }
  EXPECT_TRUE(deny.IsNormal(UINT64_MAX - 1));
  EXPECT_FALSE(deny.IsNormal(kUntoldMember));
  EXPECT_FALSE(allow.IsNormal(kUntoldMember));
}

}  // namespace
}  // namespace kvmsentry
