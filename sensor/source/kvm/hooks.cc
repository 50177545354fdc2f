// The hooks of the source kvm. Optional ones tell how much; that a guest nests, or reaches for a
// device, others tell as well. kvm_exit is not, which tells why a guest left and looks at LSTAR.
#include <array>

#include "sensor/probe/hook_variants.h"
#include "sensor/source/kvm/bpf.h"

namespace kvmsentry {
namespace {

constexpr std::array kCastFirst = {Variant::kTpBtfCast, Variant::kTpBtf, Variant::kRawTp,
                                   Variant::kTp};
constexpr std::array kTracepointOrRecord = {Variant::kTpBtf, Variant::kRawTp, Variant::kTp};
constexpr std::array kIteratorOnly = {Variant::kIterator};
constexpr std::array kProcessIteratorOnly = {Variant::kProcessIterator};
constexpr std::array kFunctionOrTracepoint = {Variant::kFentry, Variant::kKprobe, Variant::kTpBtf,
                                              Variant::kRawTp};
constexpr std::array kFunctionOrRawTracepoint = {Variant::kFentry, Variant::kKprobe,
                                                 Variant::kRawTp};
constexpr char kNoWorkers[] =
    "by the tracepoint, which names no VM: interrupts raised by an ioctl are counted, those of "
    "eventfds and workers are lost as irq_unattributed, or, if they come amid such an ioctl of "
    "another VM, counted for that";

constexpr std::array<absl::string_view, 2> kKvmIoctls = {"kvm_vcpu_ioctl", "kvm_device_ioctl"};
// Where the kernel serves 32-bit programs.
constexpr std::array<absl::string_view, 2> kCompatIoctls = {"kvm_vm_compat_ioctl",
                                                            "kvm_vcpu_compat_ioctl"};
constexpr std::array<absl::string_view, 2> kRegisterIoctls = {"kvm_arch_vcpu_ioctl_set_sregs",
                                                              "kvm_arch_vcpu_ioctl_set_mpstate"};
// KVM_SET_SREGS2 has no function of its own in Linux 6.1; the others may be inlined.
constexpr std::array<absl::string_view, 5> kSetters = {"kvm_vcpu_ioctl_x86_set_sregs2",
                                                       "__set_regs", "__set_sregs", "__kvm_set_msr",
                                                       "kvm_set_msr_ignored_check"};
constexpr std::array<absl::string_view, 1> kMsiAtOnce = {"kvm_arch_set_irq_inatomic"};
constexpr std::array<absl::string_view, 2> kVendorTypes = {"vcpu_svm", "vcpu_vmx"};
constexpr std::array<absl::string_view, 1> kVm = {"kvm"};
constexpr std::array<absl::string_view, 1> kVcpu = {"kvm_vcpu"};
constexpr std::array<absl::string_view, 1> kDirtyRing = {"kvm_dirty_ring"};

constexpr std::array kKvmHooks = {
    Proven(Hook{"kvm_track_tsc", "life", kTracepoint,
                "VMs are seen at their birth, and reused addresses are kept apart"}),
    Hook{"task_file", "inventory", kIteratorOnly,
         "VMs that were there before the sensor, and which process holds which"},
    Hook{"task_file_devices", "inventory", kProcessIteratorOnly,
         "devices of a VM on the host: taps, vhost, disks"},
    Proven(Hook{"kvm_pio", "device", kTracepointOrRecord,
                "port accesses: pio.rate, pio.port, pci_config.rate, device.overrun, guest.panic"}),
    Proven(Hook{"kvm_mmio", "device", kTracepointOrRecord, "MMIO accesses: mmio.rate"}),
    Proven(Hook{"kvm_msr", "msr", kTracepointOrRecord,
                "MSR accesses: msr.rate, msr.fault.rate, msr.written, guest.panic"}),
    Proven(Hook{"kvm_userspace_exit", "userspace", kCastFirst,
                "exits to user space: userspace_exit.rate, .error.rate, .reason"}),
    Proven(Hook{"kvm_exit", "exit", kTracepointOrRecord,
                "VM exits, why, and for how long: exit.rate, exit.reason, nesting.outside; changes "
                "of LSTAR on AMD",
                kVendorTypes}),
    Proven(Optional(Hook{"kvm_entry", "exit", kTracepointOrRecord,
                         "VM entries: entry.rate; the time from exit to entry"})),
    Optional(
        Hook{"kvm_vcpu_wakeup", "exit", kTracepointOrRecord, "halts inside the kernel: halt.rate"}),
    Hook{"kvm_nested_vmenter", "exit", kTracepointOrRecord,
         "entries into a guest's own guests: nested_entry.rate"},
    Optional(Hook{"kvm_inj_virq", "inject", kTracepointOrRecord,
                  "interrupts into the guest: interrupt.rate"}),
    Optional(Hook{"kvm_inj_exception", "inject", kTracepointOrRecord,
                  "exceptions into the guest: exception.rate"}),
    Hook{"kvm_smm_transition", "request", kTracepointOrRecord,
         "entries into system management mode: smm.rate"},
    Hook{"kvm_hypercall", "request", kTracepointOrRecord,
         "hypercalls: hypercall.rate, hypercall.number"},
    Optional(Hook{"kvm_page_fault", "request", kTracepointOrRecord,
                  "page faults that KVM handles: page_fault.rate"}),
    Hook{"kvm_nested_vmexit", "request", kTracepointOrRecord,
         "exits out of a guest's own guests: nested_exit.rate"},
    Optional(Hook{.name = "kvm_emulate_insn",
                  .bpf = "request",
                  .variants = kTracepointOrRecord,
                  .provides = "instructions that KVM emulates: emulation.rate",
                  .hardware_only = true}),
    Optional(Hook{.name = "kvm_fast_mmio",
                  .bpf = "request",
                  .variants = kTracepointOrRecord,
                  .provides = "MMIO writes to an eventfd that need no decoding: fast_mmio.rate",
                  .raised_by = "kvm_intel"}),
    Optional(Hook{"kvm_dirty_ring_push", "dirty", kTracepointOrRecord,
                  "pages put into a dirty ring: dirty_page.rate", kDirtyRing}),
    Hook{"kvm_dirty_ring_exit", "dirty", kTracepointOrRecord,
         "guests stopped by a full dirty ring: dirty_ring.full.rate", kDirtyRing},
    Hook{"kvm_dirty_ring_reset", "dirty", kTracepoint, "dirty rings emptied: dirty_ring.reset.rate",
         kDirtyRing},
    Proven(Hook{.name = "kvm_vm_ioctl",
                .bpf = "ioctl",
                .variants = kIoctlEntry,
                .provides = "ioctls on VMs, vCPUs and KVM's devices: ioctl.rate, ioctl.command",
                .types = kVm,
                .module = "kvm",
                .with = kKvmIoctls,
                .with_if_there = kCompatIoctls,
                .weakness = kDescriptors}),
    Optional(
        Hook{.name = "kvm_cr",
             .bpf = "control",
             .variants = kTracepointOrRecord,
             .provides = "accesses to control registers that leave the guest: control_access.rate",
             .raised_by = "kvm_intel"}),
    Hook{"kvm_set_cr4", "control", kFunctionEntry, "writes of CR4: control_write.rate", kVcpu,
         "kvm"},
    Hook{.name = "kvm_arch_vcpu_ioctl_set_regs",
         .bpf = "rewrite",
         .variants = kFunctionEntry,
         .provides = "registers of running vCPUs that the VMM changes: vcpu.rewritten (page-table "
                     "and control by KVM_SET_SREGS2, as QEMU has it, not on Linux 6.1); and "
                     "resets: reset.rate",
         .types = kVcpu,
         .module = "kvm",
         .with = kRegisterIoctls,
         .with_if_there = kSetters},
    Hook{"kvm_post_set_cr0", "control", kFunctionEntry, "writes of CR0: control_write.rate", kVcpu,
         "kvm"},
    Optional(Hook{.name = "kvm_set_irq",
                  .bpf = "interrupt",
                  .variants = kFunctionOrTracepoint,
                  .provides = "changes of a VM's interrupt lines, from any source: irq.line.rate",
                  .types = kVm,
                  .module = "kvm",
                  .weakness = kNoWorkers}),
    Optional(Hook{.name = "kvm_set_msi",
                  .bpf = "interrupt",
                  .variants = kFunctionOrRawTracepoint,
                  .provides = "message-signalled interrupts of a VM, from any source: irq.msi.rate",
                  .types = kVm,
                  .module = "kvm",
                  .with = kMsiAtOnce,
                  .weakness = kNoWorkers}),
};

}  // namespace

std::span<const Hook> KvmHooks() { return kKvmHooks; }

}  // namespace kvmsentry
