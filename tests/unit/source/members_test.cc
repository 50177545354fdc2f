#include "sensor/source/kvm/members.h"

#include <gtest/gtest.h>

#include "bpf/kvm/exit_reason.h"
#include "sensor/source/vfio/members.h"
#include "sensor/source/vhost/members.h"

namespace kvmsentry {
namespace {

TEST(MembersTest, ANameLeadsToItsNumberAndBack) {
  const struct {
    const MemberKind& kind;
    absl::string_view name;
    uint64_t member;
  } cases[] = {
      {kPort, "fdc-fifo", 0x3f5},
      {kMsr, "LSTAR", 0xc0000082},
      {kMsr, "KVM_STEAL_TIME", 0x4b564d03},
      {kExitReason, "MMIO", 6},
      {kExitReason, "UNKNOWN", 0},
      {kKvmIoctl, "vm:CREATE_VCPU", 0x41},
      {kKvmIoctl, "vcpu:SET_REGS", 0x182},
      {kKvmIoctl, "device:SET_DEVICE_ATTR", 0x2e1},
      {kVhostIoctl, "SET_LOG_BASE", 4},
      {kVfioIoctl, "IOMMU_MAP_DMA", 113},
      {kVfioIoctl, "DEVICE_RESET", 256 + 111},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(MemberByName(c.kind, c.name), c.member);
    EXPECT_EQ(NameOfMember(c.kind, c.member), c.name);
  }
}

TEST(MembersTest, NamesAreExactAndOfTheirField) {
  EXPECT_EQ(MemberByName(kMsr, "lstar"), std::nullopt);
  EXPECT_EQ(MemberByName(kMsr, ""), std::nullopt);
  EXPECT_EQ(MemberByName(kPort, "LSTAR"), std::nullopt);
  EXPECT_EQ(MemberByName(kGuestAddress, "LSTAR"), std::nullopt);
  EXPECT_EQ(NameOfMember(kPort, 0x1234), "");
}

TEST(MembersTest, EachNameIsOnceAndWithinTheBounds) {
  for (const MemberKind* kind :
       {&kPort, &kExitReason, &kVmExit, &kKvmIoctl, &kVhostIoctl, &kVfioIoctl}) {
    for (uint64_t member = 0; member <= kind->largest; ++member) {
      const absl::string_view name = NameOfMember(*kind, member);
      if (name.empty()) continue;
      EXPECT_EQ(MemberByName(*kind, name), member) << name;
    }
    EXPECT_EQ(NameOfMember(*kind, kind->largest + 1), "");
  }
}

TEST(MembersTest, VmExitsHaveTheNamesOfTheKernelsTracesApartByVendor) {
  const uint64_t hlt = exit_member(KS_ISA_SVM, exit_index(KS_ISA_SVM, 0x78));
  EXPECT_EQ(MemberByName(kVmExit, "svm:hlt"), hlt);
  EXPECT_EQ(NameOfMember(kVmExit, hlt), "svm:hlt");
  EXPECT_EQ(MemberByName(kVmExit, "svm:npf"),
            exit_member(KS_ISA_SVM, exit_index(KS_ISA_SVM, 0x400)));
  EXPECT_EQ(MemberByName(kVmExit, "vmx:EPT_VIOLATION"),
            exit_member(KS_ISA_VMX, exit_index(KS_ISA_VMX, 48)));
  EXPECT_EQ(MemberByName(kVmExit, "hlt"), std::nullopt);
  EXPECT_EQ(MemberByName(kVmExit, "vmx:hlt"), std::nullopt);
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
  EXPECT_EQ(kPort.largest, 0xffffU);
  EXPECT_EQ(kMsr.largest, 0xffffffffU);
  EXPECT_EQ(kExitReason.largest, 63U);  // what 64 bits of a vCPU's row hold
  EXPECT_EQ(kGuestAddress.largest, UINT64_MAX);
  EXPECT_EQ(kGuestPage.largest, 0xfffffffffffffU);
}

TEST(MembersTest, AreSaidInWords) {
  EXPECT_EQ(MemberText(kPort, 0x3f8), "port 0x3f8 (com1)");
  EXPECT_EQ(MemberText(kPort, 0x1234), "port 0x1234");
  EXPECT_EQ(MemberText(kMsr, 0xc0000082), "MSR LSTAR (0xc0000082)");
  EXPECT_EQ(MemberText(kMsr, 0xdead0000), "MSR 0xdead0000");
  EXPECT_EQ(MemberText(kExitReason, 6), "exit reason MMIO");
  EXPECT_EQ(MemberText(kExitReason, 63), "exit reason 63");
  EXPECT_EQ(MemberText(kGuestAddress, 0xd0000000), "guest address 0xd0000000");
  EXPECT_EQ(MemberText(kGuestAddress, UINT64_MAX), "guest address 0xffffffffffffffff");
  EXPECT_EQ(MemberText(kControlRegister, 4), "control register CR4");
  EXPECT_EQ(MemberText(kPort, kUntoldMember), "more than are told apart");
  EXPECT_EQ(BareMemberText(kPort, 0x3f8), "0x3f8 (com1)");
}

}  // namespace
}  // namespace kvmsentry
