#include "sensor/feature/members.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(MembersTest, ANameLeadsToItsNumberAndBack) {
  const struct {
    Field field;
    absl::string_view name;
    uint64_t member;
  } cases[] = {
      {Field::kPort, "fdc-fifo", 0x3f5},           {Field::kMsr, "LSTAR", 0xc0000082},
      {Field::kMsr, "KVM_STEAL_TIME", 0x4b564d03}, {Field::kExitReason, "MMIO", 6},
      {Field::kExitReason, "UNKNOWN", 0},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(MemberByName(c.field, c.name), c.member);
    EXPECT_EQ(NameOfMember(c.field, c.member), c.name);
  }
}

TEST(MembersTest, NamesAreExactAndOfTheirField) {
  EXPECT_EQ(MemberByName(Field::kMsr, "lstar"), std::nullopt);
  EXPECT_EQ(MemberByName(Field::kMsr, ""), std::nullopt);
  EXPECT_EQ(MemberByName(Field::kPort, "LSTAR"), std::nullopt);
  EXPECT_EQ(MemberByName(Field::kGuestAddress, "LSTAR"), std::nullopt);
  EXPECT_EQ(NameOfMember(Field::kPort, 0x1234), "");
  EXPECT_EQ(NameOfMember(Field::kNone, 0), "");
}

TEST(MembersTest, EachNameIsOnceAndWithinTheBounds) {
  for (const Field field : {Field::kPort, Field::kExitReason}) {
    for (uint64_t member = 0; member <= LargestMember(field); ++member) {
      const absl::string_view name = NameOfMember(field, member);
      if (name.empty()) continue;
      EXPECT_EQ(MemberByName(field, name), member) << name;
    }
    EXPECT_EQ(NameOfMember(field, LargestMember(field) + 1), "");
  }
}

TEST(MembersTest, BoundsAreThoseOfTheField) {
  EXPECT_EQ(LargestMember(Field::kPort), 0xffffU);
  EXPECT_EQ(LargestMember(Field::kMsr), 0xffffffffU);
  EXPECT_EQ(LargestMember(Field::kExitReason), 63U);  // what 64 bits of a vCPU's row hold
  EXPECT_EQ(LargestMember(Field::kGuestAddress), UINT64_MAX);
}

}  // namespace
}  // namespace kvmsentry
