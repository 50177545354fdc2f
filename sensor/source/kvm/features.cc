#include "sensor/source/kvm/features.h"

#include <array>

#include "bpf/kvm/meters.h"
#include "sensor/source/kvm/members.h"

namespace kvmsentry {
namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr Points kLeaving(Point::kK2, Point::kR5);
// A bus lock is an exit reason, and takes the memory bus from all others.
constexpr Points kExitReasons(Point::kK2, Point::kR5, Point::kR1);
constexpr Points kIoParameters(Point::kR5, Point::kK2);
constexpr Points kEntering(Point::kK3, Point::kR5);
constexpr Points kMigrating(Point::kK6, Point::kR1);
// By its commands a VMM changes the machine, moves it, and grants it things.
constexpr Points kManaging(Point::kR2, Point::kK3, Point::kK6, Point::kK7, Point::kR3, Point::kR5);
constexpr Points kPrivilege(Point::kR2, Point::kK2);
constexpr Points kResets(Point::kK2, Point::kK3, Point::kR1);
constexpr Points kPanics(Point::kK2, Point::kR1);
constexpr Points kRewriting(Point::kK3, Point::kR2);
constexpr HookNames kRuns("kvm_arch_vcpu_ioctl_set_regs", "kvm_userspace_exit");
constexpr HookNames kControlWrites("kvm_set_cr4", "kvm_post_set_cr0");

// Rows: name, kind, points, unit, noun of an occurrence, hooks, member, meter.
constexpr std::array kFeatures = {
    Feature{"pio.rate", kRate, kLeaving, "1/s", "port accesses", "kvm_pio", &kPort, KS_METER_PIO},
    Feature{"pio.port", kSet, kIoParameters, "port", "port accesses", "kvm_pio", &kPort,
            std::nullopt},
    Feature{"pio.outside", kSet, kIoParameters, "port",
            "port accesses where the VM was given no device", "kvm_pio", &kPort, std::nullopt},
    Feature{"device.overrun", kSet, kIoParameters, "buffer",
            "device buffers that the guest overfilled", "kvm_pio", &kOverrun, std::nullopt},
    Feature{"pci_config.rate", kRate, kIoParameters, "1/s", "accesses to PCI configuration",
            "kvm_pio", &kPort, KS_METER_PCI_CONFIG},
    Feature{"mmio.rate", kRate, kLeaving, "1/s", "MMIO accesses", "kvm_mmio", &kGuestAddress,
            KS_METER_MMIO},
    Feature{"mmio.page", kSet, kIoParameters, "guest page", "MMIO accesses", "kvm_mmio",
            &kGuestPage, std::nullopt},
    Feature{"mmio.outside", kSet, kIoParameters, "guest page",
            "MMIO accesses where the VM was given no device", "kvm_mmio", &kGuestPage,
            std::nullopt},
    Feature{"msr.rate", kRate, kPrivilege, "1/s", "MSR accesses", "kvm_msr", &kMsr, KS_METER_MSR},
    Feature{"msr.fault.rate", kRate, kPrivilege, "1/s", "refused MSR accesses", "kvm_msr", &kMsr,
            KS_METER_MSR_FAULT},
    Feature{"msr.written", kSet, kPrivilege, "msr", "MSR writes", "kvm_msr", &kMsr, std::nullopt},
    Feature{"userspace_exit.rate", kRate, kLeaving, "1/s", "exits to user space",
            "kvm_userspace_exit", &kExitReason, KS_METER_USERSPACE_EXIT},
    Feature{"userspace_exit.error.rate", kRate, kLeaving, "1/s", "failed runs of a vCPU",
            "kvm_userspace_exit", &kExitReason, KS_METER_USERSPACE_ERROR},
    Feature{"userspace_exit.reason", kSet, kExitReasons, "exit reason", "exits to user space",
            "kvm_userspace_exit", &kExitReason, std::nullopt},
    Feature{"exit.rate", kRate, Points(Point::kK2), "1/s", "VM exits", "kvm_exit", &kVmExit,
            KS_METER_EXIT},
    Feature{"exit.reason", kSet, kPrivilege, "VM exit", "VM exits", "kvm_exit", &kVmExit,
            std::nullopt},
    Feature{"nesting.outside", kSet, kPrivilege, "VM exit",
            "entries into guests of its own by a VM that nothing allows to nest", "kvm_exit",
            &kVmExit, std::nullopt},
    Feature{"entry.rate", kRate, Points(Point::kK3), "1/s", "VM entries", "kvm_entry", nullptr,
            KS_METER_ENTRY},
    Feature{"halt.rate", kRate, Points(Point::kK2, Point::kR1), "1/s", "halts", "kvm_vcpu_wakeup",
            nullptr, KS_METER_HALT},
    Feature{"nested_entry.rate", kRate, kPrivilege, "1/s", "nested VM entries",
            "kvm_nested_vmenter", nullptr, KS_METER_NESTED_ENTRY},
    Feature{"interrupt.rate", kRate, kEntering, "1/s", "injected interrupts", "kvm_inj_virq",
            &kVector, KS_METER_INTERRUPT},
    Feature{"exception.rate", kRate, kEntering, "1/s", "injected exceptions", "kvm_inj_exception",
            &kVector, KS_METER_EXCEPTION},
    Feature{"nested_exit.rate", kRate, kPrivilege, "1/s", "nested VM exits", "kvm_nested_vmexit",
            nullptr, KS_METER_NESTED_EXIT},
    Feature{"smm.rate", kRate, kPrivilege, "1/s", "entries into system management mode",
            "kvm_smm_transition", nullptr, KS_METER_SMM},
    Feature{"hypercall.rate", kRate, kPrivilege, "1/s", "hypercalls", "kvm_hypercall", &kHypercall,
            KS_METER_HYPERCALL},
    Feature{"hypercall.number", kSet, kPrivilege, "hypercall", "hypercalls", "kvm_hypercall",
            &kHypercall, std::nullopt},
    Feature{"control_write.rate", kRate, kPrivilege, "1/s", "writes of control registers",
            kControlWrites, &kControlRegister, KS_METER_CONTROL_WRITE},
    Feature{"protection.lost", kSet, kPrivilege, "protection",
            "protections of the guest's kernel that went", HookNames("kvm_set_cr4", "kvm_exit"),
            &kLostProtection, std::nullopt},
    Feature{"reset.rate", kRate, kResets, "1/s", "resets of vCPUs, and restores", kRuns, nullptr,
            KS_METER_RESET},
    Feature{"vcpu.rewritten", kSet, kRewriting, "registers",
            "registers that the VMM changed while the guest ran", kRuns, &kRegisters, std::nullopt},
    Feature{"guest.panic", kSet, kPanics, "panic", "panics that the guest's kernel reports",
            HookNames("kvm_pio", "kvm_msr"), &kPanic, std::nullopt},
    Feature{"page_fault.rate", kRate, Points(Point::kK2, Point::kR1), "1/s", "page faults of KVM",
            "kvm_page_fault", nullptr, KS_METER_PAGE_FAULT},
    Feature{"emulation.rate", kRate, kLeaving, "1/s", "emulated instructions", "kvm_emulate_insn",
            nullptr, KS_METER_EMULATION},
    Feature{"fast_mmio.rate", kRate, kLeaving, "1/s", "fast MMIO writes", "kvm_fast_mmio",
            &kGuestAddress, KS_METER_FAST_MMIO},
    Feature{"control_access.rate", kRate, kPrivilege, "1/s",
            "accesses to control registers that left the guest", "kvm_cr", &kControlRegister,
            KS_METER_CONTROL_ACCESS},
    Feature{"dirty_page.rate", kRate, kMigrating, "1/s", "pages made dirty", "kvm_dirty_ring_push",
            nullptr, KS_METER_DIRTY_PAGE},
    Feature{"dirty_ring.full.rate", kRate, kMigrating, "1/s", "stops by a full dirty ring",
            "kvm_dirty_ring_exit", nullptr, KS_METER_DIRTY_FULL},
    Feature{"dirty_ring.reset.rate", kRate, kMigrating, "1/s", "dirty rings emptied",
            "kvm_dirty_ring_reset", nullptr, KS_METER_DIRTY_RESET},
    Feature{"irq.line.rate", kRate, kEntering, "1/s", "changes of interrupt lines", "kvm_set_irq",
            nullptr, KS_METER_IRQ_LINE},
    Feature{"irq.msi.rate", kRate, kEntering, "1/s", "message-signalled interrupts", "kvm_set_msi",
            nullptr, KS_METER_IRQ_MSI},
    Feature{"ioctl.rate", kRate, kManaging, "1/s",
            "ioctls on the VM, its vCPUs and its devices in KVM", "kvm_vm_ioctl", nullptr,
            KS_METER_IOCTL},
    Feature{"ioctl.command", kSet, kManaging, "ioctl",
            "ioctls on the VM, its vCPUs and its devices in KVM", "kvm_vm_ioctl", &kKvmIoctl,
            std::nullopt},
};

}  // namespace

std::span<const Feature> KvmFeatures() { return kFeatures; }

}  // namespace kvmsentry
