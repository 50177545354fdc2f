#include "sensor/feature/members.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asm/kvm.h>  // the vectors that asm/svm.h counts on
#include <asm/svm.h>
#include <asm/vmx.h>

#include "absl/strings/str_cat.h"

#include "bpf/exit_reason.h"
#include "sensor/feature/ioctls.h"

namespace kvmsentry {
namespace {

using Named = NamedMember;

// Ports of a PC that guests and attacks use; IBM PC/AT Technical Reference and QEMU's hw/i386.
constexpr std::array kPorts = {
    Named{0x20, "pic1"},         Named{0x40, "pit"},          Named{0x60, "i8042-data"},
    Named{0x64, "i8042-cmd"},    Named{0x70, "rtc-index"},    Named{0x71, "rtc-data"},
    Named{0x80, "post"},         Named{0x92, "system"},       Named{0xa0, "pic2"},
    Named{0x2f8, "com2"},        Named{0x3f2, "fdc-dor"},     Named{0x3f5, "fdc-fifo"},
    Named{0x3f8, "com1"},        Named{0x402, "seabios"},     Named{0x510, "fw-cfg-select"},
    Named{0x511, "fw-cfg-data"}, Named{0xcf8, "pci-address"}, Named{0xcfc, "pci-data"},
    Named{0x5658, "vmport"},
};

// Names and numbers as in the kernel's arch/x86/include/asm/msr-index.h, without MSR_ and IA32_.
constexpr std::array kMsrs = {
    Named{0x10, "TSC"},
    Named{0x1b, "APICBASE"},
    Named{0x3a, "FEAT_CTL"},
    Named{0x48, "SPEC_CTRL"},
    Named{0x49, "PRED_CMD"},
    Named{0x174, "SYSENTER_CS"},
    Named{0x175, "SYSENTER_ESP"},
    Named{0x176, "SYSENTER_EIP"},
    Named{0x1a0, "MISC_ENABLE"},
    Named{0x1d9, "DEBUGCTLMSR"},
    Named{0x277, "CR_PAT"},
    Named{0x2ff, "MTRRdefType"},
    Named{0x6e0, "TSC_DEADLINE"},
    Named{0x830, "X2APIC_ICR"},
    Named{0x4b564d00, "KVM_WALL_CLOCK_NEW"},
    Named{0x4b564d01, "KVM_SYSTEM_TIME_NEW"},
    Named{0x4b564d02, "KVM_ASYNC_PF_EN"},
    Named{0x4b564d03, "KVM_STEAL_TIME"},
    Named{0x4b564d04, "KVM_PV_EOI_EN"},
    Named{0xc0000080, "EFER"},
    Named{0xc0000081, "STAR"},
    Named{0xc0000082, "LSTAR"},
    Named{0xc0000083, "CSTAR"},
    Named{0xc0000084, "SYSCALL_MASK"},
    Named{0xc0000100, "FS_BASE"},
    Named{0xc0000101, "GS_BASE"},
    Named{0xc0000102, "KERNEL_GS_BASE"},
    Named{0xc0000103, "TSC_AUX"},
    Named{0xc0010015, "K7_HWCR"},
    Named{0xc0010114, "VM_CR"},
    Named{0xc0010117, "VM_HSAVE_PA"},
};

// KVM_EXIT_* of include/uapi/linux/kvm.h.
constexpr std::array kExitReasons = {
    Named{0, "UNKNOWN"},
    Named{1, "EXCEPTION"},
    Named{2, "IO"},
    Named{3, "HYPERCALL"},
    Named{4, "DEBUG"},
    Named{5, "HLT"},
    Named{6, "MMIO"},
    Named{7, "IRQ_WINDOW_OPEN"},
    Named{8, "SHUTDOWN"},
    Named{9, "FAIL_ENTRY"},
    Named{10, "INTR"},
    Named{11, "SET_TPR"},
    Named{12, "TPR_ACCESS"},
    Named{16, "NMI"},
    Named{17, "INTERNAL_ERROR"},
    Named{24, "SYSTEM_EVENT"},
    Named{26, "IOAPIC_EOI"},
    Named{27, "HYPERV"},
    Named{29, "X86_RDMSR"},
    Named{30, "X86_WRMSR"},
    Named{31, "DIRTY_RING_FULL"},
    Named{32, "AP_RESET_HOLD"},
    Named{33, "X86_BUS_LOCK"},
    Named{34, "XEN"},
    Named{37, "NOTIFY"},
    Named{39, "MEMORY_FAULT"},
};

// KVM_HC_* of include/uapi/linux/kvm_para.h, of x86. Above 62 all are one.
constexpr std::array kHypercalls = {
    Named{1, "VAPIC_POLL_IRQ"}, Named{2, "MMU_OP"},         Named{3, "FEATURES"},
    Named{5, "KICK_CPU"},       Named{9, "CLOCK_PAIRING"},  Named{10, "SEND_IPI"},
    Named{11, "SCHED_YIELD"},   Named{12, "MAP_GPA_RANGE"}, Named{63, "OTHER"},
};

// The kernel's own tables for its traces, of both vendors.
struct Traced {
  int64_t code;
  absl::string_view name;
};
constexpr Traced kVmxExits[] = {VMX_EXIT_REASONS};
constexpr Traced kSvmExits[] = {SVM_EXIT_REASONS};

std::vector<std::pair<uint32_t, std::string>> NameVmExits() {
  std::vector<std::pair<uint32_t, std::string>> names;
  const auto add = [&](absl::string_view vendor, uint32_t isa, std::span<const Traced> table) {
    for (const auto& [code, name] : table) {
      const uint32_t index = exit_index(isa, static_cast<uint32_t>(code));
      if (index == KS_EXIT_OTHER || index == KS_EXIT_FAILED_ENTRY) continue;
      names.emplace_back(exit_member(isa, index), absl::StrCat(vendor, ":", name));
    }
    names.emplace_back(exit_member(isa, KS_EXIT_FAILED_ENTRY),
                       absl::StrCat(vendor, ":failed-entry"));
    names.emplace_back(exit_member(isa, KS_EXIT_OTHER), absl::StrCat(vendor, ":other"));
  };
  add("vmx", KS_ISA_VMX, kVmxExits);
  add("svm", KS_ISA_SVM, kSvmExits);
  return names;
}

std::span<const Named> VmExits() {
  static const auto* const texts = new std::vector<std::pair<uint32_t, std::string>>(NameVmExits());
  static const auto* const names = [] {
    auto* all = new std::vector<Named>;
    for (const auto& [member, text] : *texts) all->push_back({member, text});
    return all;
  }();
  return *names;
}

std::span<const Named> NamesOf(Field field) {
  switch (field) {
    case Field::kPort:
      return kPorts;
    case Field::kMsr:
      return kMsrs;
    case Field::kExitReason:
      return kExitReasons;
    case Field::kVmExit:
      return VmExits();
    case Field::kHypercall:
      return kHypercalls;
    case Field::kKvmIoctl:
      return KvmIoctls();
    case Field::kVhostIoctl:
      return VhostIoctls();
    case Field::kVfioIoctl:
      return VfioIoctls();
    case Field::kGuestPage:
    case Field::kGuestAddress:
    case Field::kVector:
    case Field::kControlRegister:
    case Field::kNone:
      return {};
  }
  return {};
}

}  // namespace

uint64_t LargestMember(Field field) {
  switch (field) {
    case Field::kPort:
      return 0xffff;
    case Field::kMsr:
      return 0xffffffff;
    case Field::kExitReason:
    case Field::kHypercall:
      return 63;
    case Field::kControlRegister:
      return 8;
    case Field::kKvmIoctl:
      return 3 * 256 - 1;
    case Field::kVfioIoctl:
      return 2 * 256 - 1;
    case Field::kVhostIoctl:
      return 255;
    case Field::kGuestPage:
      return (uint64_t{1} << 52) - 1;  // the architecture's largest physical address
    case Field::kGuestAddress:
      return UINT64_MAX;
    case Field::kVmExit:
      return exit_member(KS_ISA_SVM, KS_EXIT_REASONS - 1);
    case Field::kVector:
      return 0xff;
    case Field::kNone:
      return 0;
  }
  return 0;
}

std::optional<uint64_t> MemberByName(Field field, absl::string_view name) {
  const auto names = NamesOf(field);
  const auto found = std::ranges::find(names, name, &Named::name);
  if (found == names.end()) return std::nullopt;
  return found->member;
}

absl::string_view NameOfMember(Field field, uint64_t member) {
  const auto names = NamesOf(field);
  const auto found = std::ranges::find(names, member, &Named::member);
  return found == names.end() ? absl::string_view() : found->name;
}

}  // namespace kvmsentry
