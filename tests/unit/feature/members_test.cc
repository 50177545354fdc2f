#include "sensor/feature/members.h"

#include <gtest/gtest.h>

#include "bpf/exit_reason.h"

namespace kvmsentry {
namespace {

TEST(MembersTest, ANameLeadsToItsNumberAndBack) {
  const struct {
    Field field;
    absl::string_view name;
    uint64_t member;
  } cases[] = {
      {Field::kPort, "fdc-fifo", 0x3f5},
      {Field::kMsr, "LSTAR", 0xc0000082},
      {Field::kMsr, "KVM_STEAL_TIME", 0x4b564d03},
      {Field::kExitReason, "MMIO", 6},
      {Field::kExitReason, "UNKNOWN", 0},
      {Field::kKvmIoctl, "vm:CREATE_VCPU", 0x41},
      {Field::kKvmIoctl, "vcpu:SET_REGS", 0x182},
      {Field::kKvmIoctl, "device:SET_DEVICE_ATTR", 0x2e1},
      {Field::kVhostIoctl, "SET_LOG_BASE", 4},
      {Field::kVfioIoctl, "IOMMU_MAP_DMA", 113},
      {Field::kVfioIoctl, "DEVICE_RESET", 256 + 111},
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
  for (const Field field : {Field::kPort, Field::kExitReason, Field::kVmExit, Field::kKvmIoctl,
                            Field::kVhostIoctl, Field::kVfioIoctl}) {
    for (uint64_t member = 0; member <= LargestMember(field); ++member) {
      const absl::string_view name = NameOfMember(field, member);
      if (name.empty()) continue;
      EXPECT_EQ(MemberByName(field, name), member) << name;
    }
    EXPECT_EQ(NameOfMember(field, LargestMember(field) + 1), "");
  }
}

TEST(MembersTest, VmExitsHaveTheNamesOfTheKernelsTracesApartByVendor) {
  const uint64_t hlt = exit_member(KS_ISA_SVM, exit_index(KS_ISA_SVM, 0x78));
  EXPECT_EQ(MemberByName(Field::kVmExit, "svm:hlt"), hlt);
  EXPECT_EQ(NameOfMember(Field::kVmExit, hlt), "svm:hlt");
  EXPECT_EQ(MemberByName(Field::kVmExit, "svm:npf"),
            exit_member(KS_ISA_SVM, exit_index(KS_ISA_SVM, 0x400)));
  EXPECT_EQ(MemberByName(Field::kVmExit, "vmx:EPT_VIOLATION"),
            exit_member(KS_ISA_VMX, exit_index(KS_ISA_VMX, 48)));
  EXPECT_EQ(MemberByName(Field::kVmExit, "hlt"), std::nullopt);
  EXPECT_EQ(MemberByName(Field::kVmExit, "vmx:hlt"), std::nullopt);
}

TEST(MembersTest, EveryExitReasonHasACounterWithinTheRow) {
  for (const uint32_t isa : {0U, uint32_t{KS_ISA_VMX}, uint32_t{KS_ISA_SVM}, 7U}) {
    for (const uint32_t code : {0U, 0xbfU, 0xc0U, 0x3ffU, 0x400U, 0x40fU, 0x410U, 0x7fffffffU,
                                0x80000000U, 0x80000021U, 0xffffffffU}) {
      EXPECT_LT(exit_index(isa, code), uint32_t{KS_EXIT_REASONS}) << isa << " " << code;
    }
  }
  // An entry that failed says why it did in the low bits: it is no exit for that reason.
  EXPECT_EQ(exit_index(KS_ISA_VMX, 0x80000021), uint32_t{KS_EXIT_FAILED_ENTRY});
  EXPECT_EQ(exit_index(KS_ISA_SVM, 0xffffffff), uint32_t{KS_EXIT_FAILED_ENTRY});
  EXPECT_EQ(exit_index(KS_ISA_VMX, 0x0800001e), 30U);  // with a flag above the reason
}

TEST(MembersTest, BoundsAreThoseOfTheField) {
  EXPECT_EQ(LargestMember(Field::kPort), 0xffffU);
  EXPECT_EQ(LargestMember(Field::kMsr), 0xffffffffU);
  EXPECT_EQ(LargestMember(Field::kExitReason), 63U);  // what 64 bits of a vCPU's row hold
  EXPECT_EQ(LargestMember(Field::kGuestAddress), UINT64_MAX);
  EXPECT_EQ(LargestMember(Field::kGuestPage), 0xfffffffffffffU);
}

}  // namespace
}  // namespace kvmsentry
