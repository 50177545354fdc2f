#include "sensor/probe/hooks.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr std::array kTracepoint = {Variant::kTpBtf, Variant::kRawTp};
constexpr std::array kCastFirst = {Variant::kTpBtfCast, Variant::kTpBtf, Variant::kRawTp};
constexpr std::array kTracepointOrRecord = {Variant::kTpBtf, Variant::kRawTp, Variant::kTp};
constexpr std::array kIteratorOnly = {Variant::kIterator};
constexpr std::array kProcessIteratorOnly = {Variant::kProcessIterator};
constexpr std::array kFunctionEntry = {Variant::kFentry, Variant::kKprobe};
// Of more than six arguments: kernels before 6.6 load such a program and then refuse to attach it,
// so that the whole object has to be loaded again.
constexpr std::array kLongFunctionExit = {Variant::kKretprobe, Variant::kFexit};
constexpr std::array kFunctionExit = {Variant::kFexit, Variant::kKretprobe};

constexpr std::array<absl::string_view, 2> kVendorTypes = {"vcpu_svm", "vcpu_vmx"};
constexpr std::array<absl::string_view, 1> kVm = {"kvm"};
constexpr std::array<absl::string_view, 1> kVcpu = {"kvm_vcpu"};
constexpr std::array<absl::string_view, 1> kVhost = {"vhost_virtqueue"};
constexpr std::array<absl::string_view, 1> kVhostNet = {"vhost_net"};
constexpr std::array<absl::string_view, 1> kVhostVsock = {"vhost_vsock"};

constexpr std::array kHooks = {
    Hook{"kvm_track_tsc", "life", kTracepoint,
         "VMs are seen at their birth, and reused addresses are kept apart"},
    Hook{"task_file", "inventory", kIteratorOnly,
         "VMs that were there before the sensor, and which process holds which"},
    Hook{"task_file_devices", "inventory", kProcessIteratorOnly,
         "devices of a VM on the host: taps, vhost, disks"},
    Hook{"kvm_pio", "device", kTracepoint, "port accesses: pio.rate, pio.port, pci_config.rate"},
    Hook{"kvm_mmio", "device", kTracepoint, "MMIO accesses: mmio.rate"},
    Hook{"kvm_msr", "msr", kTracepoint, "MSR accesses: msr.rate, msr.fault.rate, msr.written"},
    Hook{"kvm_userspace_exit", "userspace", kCastFirst,
         "exits to user space: userspace_exit.rate, .error.rate, .reason"},
    Hook{"kvm_exit", "exit", kTracepointOrRecord,
         "VM exits, why, and for how long: exit.rate, exit.reason", kVendorTypes},
    Hook{"kvm_entry", "exit", kTracepoint, "VM entries: entry.rate; the time from exit to entry"},
    Hook{"kvm_vcpu_wakeup", "exit", kTracepoint, "halts inside the kernel: halt.rate"},
    Hook{"kvm_nested_vmenter", "exit", kTracepoint,
         "entries into a guest's own guests: nested_entry.rate"},
    Hook{"kvm_inj_virq", "inject", kTracepoint, "interrupts into the guest: interrupt.rate"},
    Hook{"kvm_inj_exception", "inject", kTracepoint, "exceptions into the guest: exception.rate"},
    Hook{"kvm_hypercall", "request", kTracepoint, "hypercalls: hypercall.rate, hypercall.number"},
    Hook{"kvm_page_fault", "request", kTracepoint, "page faults that KVM handles: page_fault.rate"},
    Hook{"kvm_nested_vmexit", "request", kTracepoint,
         "exits out of a guest's own guests: nested_exit.rate"},
    Hook{.name = "kvm_emulate_insn",
         .object = "request",
         .variants = kTracepoint,
         .provides = "instructions that KVM emulates: emulation.rate",
         .hardware_only = true},
    Hook{"kvm_fast_mmio", "request", kTracepoint,
         "MMIO writes to an eventfd that need no decoding: fast_mmio.rate"},
    Hook{"kvm_dirty_ring_push", "request", kTracepoint,
         "pages put into a dirty ring: dirty_page.rate"},
    Hook{"kvm_set_cr4", "control", kFunctionEntry, "writes of CR4: control_write.rate", kVcpu,
         "kvm"},
    Hook{"kvm_post_set_cr0", "control", kFunctionEntry, "writes of CR0: control_write.rate", kVcpu,
         "kvm"},
    Hook{"kvm_set_irq", "interrupt", kFunctionEntry,
         "changes of a VM's interrupt lines, by whomever: irq.line.rate", kVm, "kvm"},
    Hook{"kvm_set_msi_irq", "interrupt", kFunctionEntry,
         "message-signalled interrupts of a VM, by whomever: irq.msi.rate", kVm, "kvm"},
    Hook{"vhost_poll_wakeup", "vhost", kFunctionEntry, "the guest's notifications: vhost.kick.rate",
         kVhost, "vhost"},
    Hook{"vhost_get_vq_desc", "vhost", kLongFunctionExit,
         "descriptors that vhost refuses: vhost.bad_descriptor.rate", kVhost, "vhost",
         "vhost_get_vq_desc_n"},  // Linux 6.19, "vhost: rewind next_avail_head while discarding"
    Hook{"vhost_add_used_and_signal_n", "vhost", kFunctionEntry,
         "what vhost-net tells the guest: vhost.signal.rate", kVhost, "vhost"},
    Hook{"vhost_signal", "vhost", kFunctionEntry,
         "what other vhost devices tell the guest: vhost.signal.rate", kVhost, "vhost"},
    Hook{"vhost_dev_cleanup", "vhost", kFunctionEntry, "the end of vhost devices", kVhost, "vhost"},
    Hook{"handle_tx", "vhost_net", kFunctionEntry, "turns of vhost-net, sending: vhost.run.rate",
         kVhostNet, "vhost_net"},
    Hook{"handle_rx", "vhost_net", kFunctionEntry, "turns of vhost-net, receiving: vhost.run.rate",
         kVhostNet, "vhost_net"},
    Hook{"vhost_net_ioctl", "vhost_net", kFunctionExit,
         "how vhost-net devices are set up: vhost.config.rate", kVhostNet, "vhost_net"},
    Hook{"vhost_vsock_handle_tx_kick", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, sending: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_transport_do_send_pkt", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, receiving: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_add_used", "vhost_vsock", kFunctionEntry,
         "bytes to the guest over vsock: vsock.rx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{"virtio_transport_recv_pkt", "vhost_vsock", kTracepoint,
         "bytes from the guest over vsock: vsock.tx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_vsock_dev_ioctl", "vhost_vsock", kFunctionExit,
         "how vhost-vsock devices are set up: vhost.config.rate", kVhostVsock, "vhost_vsock"},
};

}  // namespace

absl::string_view VariantName(Variant variant) {
  switch (variant) {
    case Variant::kTpBtfCast:
      return "tp_btf_cast";
    case Variant::kTpBtf:
      return "tp_btf";
    case Variant::kRawTp:
      return "raw_tp";
    case Variant::kTp:
      return "tp";
    case Variant::kFentry:
      return "fentry";
    case Variant::kFexit:
      return "fexit";
    case Variant::kKprobe:
      return "kprobe";
    case Variant::kKretprobe:
      return "kretprobe";
    case Variant::kIterator:
      return "iter";
    case Variant::kProcessIterator:
      return "iter_process";
  }
  return "";
}

std::span<const Hook> Hooks() { return kHooks; }

std::vector<std::string> ProgramNames(const Hook& hook, Variant variant) {
  if (variant == Variant::kIterator) return {"walk_files"};
  if (variant == Variant::kProcessIterator) return {"walk_devices"};
  const std::string name = absl::StrCat(hook.name, "_", VariantName(variant));
  if (variant == Variant::kKretprobe) return {name, absl::StrCat(name, "_entry")};
  return {name};
}

}  // namespace kvmsentry
