#include "sensor/source/kvm/members.h"

#include <array>

#include "bpf/kvm/records.h"
#include "sensor/source/kvm/names.h"

namespace kvmsentry {
namespace {

using Named = NamedMember;

// Ports of a PC that guests and attacks use; IBM PC/AT Technical Reference and QEMU's hw/i386.
constexpr std::array kPortNames = {
    Named{0x20, "pic1"},         Named{0x40, "pit"},          Named{0x60, "i8042-data"},
    Named{0x64, "i8042-cmd"},    Named{0x70, "rtc-index"},    Named{0x71, "rtc-data"},
    Named{0x80, "post"},         Named{0x92, "system"},       Named{0xa0, "pic2"},
    Named{0x2f8, "com2"},        Named{0x3f2, "fdc-dor"},     Named{0x3f5, "fdc-fifo"},
    Named{0x3f8, "com1"},        Named{0x402, "seabios"},     Named{0x510, "fw-cfg-select"},
    Named{0x511, "fw-cfg-data"}, Named{0xcf8, "pci-address"}, Named{0xcfc, "pci-data"},
    Named{0x5658, "vmport"},
};

// Names and numbers as in the kernel's arch/x86/include/asm/msr-index.h, without MSR_ and IA32_.
constexpr std::array kMsrNames = {
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
constexpr std::array kExitReasonNames = {
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
constexpr std::array kHypercallNames = {
    Named{1, "VAPIC_POLL_IRQ"}, Named{2, "MMU_OP"},         Named{3, "FEATURES"},
    Named{5, "KICK_CPU"},       Named{9, "CLOCK_PAIRING"},  Named{10, "SEND_IPI"},
    Named{11, "SCHED_YIELD"},   Named{12, "MAP_GPA_RANGE"}, Named{63, "OTHER"},
};

constexpr std::array kControlRegisterNames = {
    Named{0, "CR0"}, Named{2, "CR2"}, Named{3, "CR3"}, Named{4, "CR4"}, Named{8, "CR8"},
};

// NAMES as a function that gives them.
template <const auto& Names>
std::span<const NamedMember> Give() {
  return Names;
}

// Of guest pages: the architecture's largest physical address.
constexpr uint64_t kLargestPhysical = (uint64_t{1} << 52) - 1;

constexpr std::array kProtections = {
    NamedMember{KS_LOST_WP, "WP"},     NamedMember{KS_LOST_SMEP, "SMEP"},
    NamedMember{KS_LOST_SMAP, "SMAP"}, NamedMember{KS_LOST_UMIP, "UMIP"},
    NamedMember{KS_LOST_NX, "NX"},     NamedMember{KS_LOST_LSTAR, "LSTAR"},
};

std::span<const NamedMember> Protections() { return kProtections; }

constexpr std::array kRegisterNames = {
    NamedMember{KS_REGISTERS_GENERAL, "general"},
    NamedMember{KS_REGISTERS_STACK, "stack-pointer"},
    NamedMember{KS_REGISTERS_INSTRUCTION, "instruction-pointer"},
    NamedMember{KS_REGISTERS_PAGE_TABLE, "page-table"},
    NamedMember{KS_REGISTERS_CONTROL, "control"},
    NamedMember{KS_REGISTERS_ENTRY, "kernel-entry"},
};

std::span<const NamedMember> RegisterNames() { return kRegisterNames; }

constexpr std::array kPanicNames = {
    NamedMember{KS_PANIC_PVPANIC, "pvpanic"},
    NamedMember{KS_PANIC_HYPERV, "hyper-v"},
};

constexpr std::array kOverrunNames = {NamedMember{KS_OVERRUN_FLOPPY, "floppy-fifo"}};

}  // namespace

constinit const MemberKind kOverrun = {.key = "buffer",
                                       .noun = "buffer",
                                       .largest = KS_OVERRUN_FLOPPY,
                                       .number = NumberFormat::kDecimal,
                                       .names = Give<kOverrunNames>,
                                       .hint = "floppy-fifo"};

constinit const MemberKind kPanic = {.key = "panic",
                                     .noun = "panic",
                                     .largest = KS_PANIC_HYPERV,
                                     .number = NumberFormat::kDecimal,
                                     .names = Give<kPanicNames>,
                                     .hint = "pvpanic or hyper-v"};

constinit const MemberKind kRegisters = {.key = "registers",
                                         .noun = "register",
                                         .largest = KS_REGISTERS_ENTRY,
                                         .number = NumberFormat::kDecimal,
                                         .names = RegisterNames,
                                         .hint =
                                             "general, stack-pointer, instruction-pointer, "
                                             "page-table, control or kernel-entry"};

constinit const MemberKind kLostProtection = {.key = "protection",
                                              .noun = "protection",
                                              .largest = KS_LOST_LSTAR,
                                              .number = NumberFormat::kDecimal,
                                              .names = Protections,
                                              .hint = "WP, SMEP, SMAP, UMIP, NX or LSTAR"};

constinit const MemberKind kPort = {.key = "port",
                                    .noun = "port",
                                    .largest = 0xffff,
                                    .format = NameFormat::kNumberFirst,
                                    .names = Give<kPortNames>,
                                    .hint = "0x3f8, 0x60-0x64 or com1"};
constinit const MemberKind kMsr = {.key = "msr",
                                   .noun = "MSR",
                                   .largest = 0xffffffff,
                                   .format = NameFormat::kNameFirst,
                                   .names = Give<kMsrNames>,
                                   .hint = "0xc0000082, 0x830-0x83f or LSTAR"};
constinit const MemberKind kExitReason = {.key = "exit_reason",
                                          .noun = "exit reason",
                                          .largest = 63,
                                          .number = NumberFormat::kDecimal,
                                          .names = Give<kExitReasonNames>,
                                          .hint = "2, 29-30 or MMIO"};
constinit const MemberKind kVmExit = {.key = "vm_exit",
                                      .noun = "VM exit",
                                      .largest = KS_ISA_SVM << 16 | (KS_EXIT_REASONS - 1),
                                      .names = VmExitNames,
                                      .hint = "svm:vmrun or vmx:VMLAUNCH"};
constinit const MemberKind kHypercall = {.key = "hypercall",
                                         .noun = "hypercall",
                                         .largest = 63,
                                         .number = NumberFormat::kDecimal,
                                         .format = NameFormat::kNameFirst,
                                         .names = Give<kHypercallNames>,
                                         .hint = "5, 9-12 or SEND_IPI"};
constinit const MemberKind kGuestPage = {.key = "page",
                                         .noun = "guest page",
                                         .largest = kLargestPhysical,
                                         .hint = "0xfed00000 or 0xfe000000-0xfe003fff",
                                         .granule = uint64_t{1} << KS_PAGE_SHIFT};
constinit const MemberKind kKvmIoctl = {
    .key = "ioctl",
    .noun = "KVM ioctl",
    .largest = KS_IOCTL_MEMBER(KS_IOCTL_DEVICE, 0xff),
    .number = NumberFormat::kDecimal,
    .names = KvmIoctlNames,
    .hint = "vm:SET_USER_MEMORY_REGION, vcpu:SET_REGS or 0-255"};
// No set has those below: the last occurrence of a rate names them.
constinit const MemberKind kGuestAddress = {
    .key = "guest_address", .noun = "guest address", .largest = UINT64_MAX};
constinit const MemberKind kVector = {.key = "vector", .noun = "vector", .largest = 0xff};
constinit const MemberKind kControlRegister = {.key = "control_register",
                                               .noun = "control register",
                                               .largest = 8,
                                               .number = NumberFormat::kDecimal,
                                               .names = Give<kControlRegisterNames>};

}  // namespace kvmsentry
