#include <array>

#include <linux/kvm.h>

#include "bpf/kvm/records.h"
#include "sensor/source/kvm/names.h"

namespace kvmsentry {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): a name and the number behind it, written once.
#define VM(name) \
  NamedMember { KS_IOCTL_MEMBER(KS_IOCTL_VM, _IOC_NR(KVM_##name)), "vm:" #name }
#define VCPU(name) \
  NamedMember { KS_IOCTL_MEMBER(KS_IOCTL_VCPU, _IOC_NR(KVM_##name)), "vcpu:" #name }
#define DEVICE(name) \
  NamedMember { KS_IOCTL_MEMBER(KS_IOCTL_DEVICE, _IOC_NR(KVM_##name)), "device:" #name }
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr std::array kKvm = {
    VM(SET_MEMORY_REGION),
    VM(CREATE_VCPU),
    VM(GET_DIRTY_LOG),
    VM(SET_NR_MMU_PAGES),
    VM(GET_NR_MMU_PAGES),
    VM(SET_USER_MEMORY_REGION),
    VM(SET_TSS_ADDR),
    VM(SET_IDENTITY_MAP_ADDR),
    VM(CREATE_IRQCHIP),
    VM(IRQ_LINE),
    VM(GET_IRQCHIP),
    VM(SET_IRQCHIP),
    VM(CREATE_PIT),
    VM(GET_PIT),
    VM(SET_PIT),
    VM(IRQ_LINE_STATUS),
    VM(REGISTER_COALESCED_MMIO),
    VM(UNREGISTER_COALESCED_MMIO),
    VM(SET_GSI_ROUTING),
    VM(REINJECT_CONTROL),
    VM(IRQFD),
    VM(CREATE_PIT2),
    VM(SET_BOOT_CPU_ID),
    VM(IOEVENTFD),
    VM(XEN_HVM_CONFIG),
    VM(SET_CLOCK),
    VM(GET_CLOCK),
    VM(GET_PIT2),
    VM(SET_PIT2),
    VM(SIGNAL_MSI),
    VM(ENABLE_CAP),
    VM(CHECK_EXTENSION),
    VM(MEMORY_ENCRYPT_OP),
    VM(MEMORY_ENCRYPT_REG_REGION),
    VM(MEMORY_ENCRYPT_UNREG_REGION),
    VM(HYPERV_EVENTFD),
    VM(CLEAR_DIRTY_LOG),
    VM(SET_PMU_EVENT_FILTER),
    VM(X86_SET_MSR_FILTER),
    VM(RESET_DIRTY_RINGS),
    VM(XEN_HVM_GET_ATTR),
    VM(XEN_HVM_SET_ATTR),
    VM(CREATE_DEVICE),
    VM(GET_STATS_FD),
    VM(SET_TSC_KHZ),
    VM(GET_TSC_KHZ),
    VCPU(GET_REGS),
    VCPU(SET_REGS),
    VCPU(GET_SREGS),
    VCPU(SET_SREGS),
    VCPU(TRANSLATE),
    VCPU(INTERRUPT),
    VCPU(GET_MSRS),
    VCPU(SET_MSRS),
    VCPU(SET_CPUID),
    VCPU(SET_SIGNAL_MASK),
    VCPU(GET_FPU),
    VCPU(SET_FPU),
    VCPU(GET_LAPIC),
    VCPU(SET_LAPIC),
    VCPU(SET_CPUID2),
    VCPU(GET_CPUID2),
    VCPU(TPR_ACCESS_REPORTING),
    VCPU(SET_VAPIC_ADDR),
    VCPU(GET_MP_STATE),
    VCPU(SET_MP_STATE),
    VCPU(NMI),
    VCPU(SET_GUEST_DEBUG),
    VCPU(X86_SETUP_MCE),
    VCPU(X86_SET_MCE),
    VCPU(GET_VCPU_EVENTS),
    VCPU(SET_VCPU_EVENTS),
    VCPU(GET_DEBUGREGS),
    VCPU(SET_DEBUGREGS),
    VCPU(ENABLE_CAP),
    VCPU(GET_XSAVE),
    VCPU(SET_XSAVE),
    VCPU(GET_XCRS),
    VCPU(SET_XCRS),
    VCPU(GET_XSAVE2),
    VCPU(SET_TSC_KHZ),
    VCPU(GET_TSC_KHZ),
    VCPU(KVMCLOCK_CTRL),
    VCPU(GET_DEVICE_ATTR),
    VCPU(SET_DEVICE_ATTR),
    VCPU(HAS_DEVICE_ATTR),
    VCPU(SMI),
    VCPU(GET_NESTED_STATE),
    VCPU(SET_NESTED_STATE),
    VCPU(GET_SUPPORTED_HV_CPUID),
    VCPU(XEN_VCPU_GET_ATTR),
    VCPU(XEN_VCPU_SET_ATTR),
    VCPU(GET_SREGS2),
    VCPU(SET_SREGS2),
    VCPU(GET_STATS_FD),
    DEVICE(SET_DEVICE_ATTR),
    DEVICE(GET_DEVICE_ATTR),
    DEVICE(HAS_DEVICE_ATTR),
};

}  // namespace

std::span<const NamedMember> KvmIoctlNames() { return kKvm; }

}  // namespace kvmsentry
