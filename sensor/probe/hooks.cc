#include "sensor/probe/hooks.h"

#include <algorithm>
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

constexpr std::array kFunctionOrTracepoint = {Variant::kFentry, Variant::kKprobe, Variant::kTpBtf,
                                              Variant::kRawTp};
constexpr std::array kFunctionOrRawTracepoint = {Variant::kFentry, Variant::kKprobe,
                                                 Variant::kRawTp};
constexpr char kNoWorkers[] =
    "by the tracepoint, which names no VM: interrupts raised by an ioctl are counted, those of "
    "eventfds and workers are lost as irq_unattributed, or, if they come amid such an ioctl of "
    "another VM, counted for that";
// Without probes on functions, at every system call: dear, but seen at all.
constexpr std::array kIoctlEntry = {Variant::kFentry, Variant::kKprobe, Variant::kSysEnter};
constexpr std::array kIoctlExit = {Variant::kFexit, Variant::kKretprobe, Variant::kSysExit};

constexpr char kDescriptors[] =
    "at every system call, for no function can be probed here: a VMM that changes its descriptors "
    "meanwhile goes uncounted";

constexpr std::array<absl::string_view, 2> kKvmIoctls = {"kvm_vcpu_ioctl", "kvm_device_ioctl"};
// Where the kernel serves 32-bit programs.
constexpr std::array<absl::string_view, 2> kCompatIoctls = {"kvm_vm_compat_ioctl",
                                                            "kvm_vcpu_compat_ioctl"};
constexpr std::array<absl::string_view, 1> kMsiAtOnce = {"kvm_arch_set_irq_inatomic"};
// Where it has groups and containers, and not iommufd alone.
constexpr std::array<absl::string_view, 2> kVfioIoctls = {"vfio_group_fops_unl_ioctl",
                                                          "vfio_fops_unl_ioctl"};

constexpr std::array<absl::string_view, 2> kVendorTypes = {"vcpu_svm", "vcpu_vmx"};
constexpr std::array<absl::string_view, 1> kVm = {"kvm"};
constexpr std::array<absl::string_view, 1> kVcpu = {"kvm_vcpu"};
constexpr std::array<absl::string_view, 1> kVhost = {"vhost_virtqueue"};
constexpr std::array<absl::string_view, 1> kVhostNet = {"vhost_net"};
constexpr std::array<absl::string_view, 1> kVhostVsock = {"vhost_vsock"};
constexpr std::array<absl::string_view, 1> kVfio = {"vfio_device"};
constexpr std::array<absl::string_view, 1> kDirtyRing = {"kvm_dirty_ring"};

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
         "VM exits, why, and for how long: exit.rate, exit.reason; changes of LSTAR on AMD",
         kVendorTypes},
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
    Hook{.name = "kvm_fast_mmio",
         .object = "request",
         .variants = kTracepoint,
         .provides = "MMIO writes to an eventfd that need no decoding: fast_mmio.rate",
         .raised_by = "kvm_intel"},
    Hook{"kvm_dirty_ring_push", "dirty", kTracepoint,
         "pages put into a dirty ring: dirty_page.rate", kDirtyRing},
    Hook{"kvm_dirty_ring_exit", "dirty", kTracepoint,
         "guests stopped by a full dirty ring: dirty_ring.full.rate", kDirtyRing},
    Hook{"kvm_dirty_ring_reset", "dirty", kTracepoint, "dirty rings emptied: dirty_ring.reset.rate",
         kDirtyRing},
    Hook{.name = "kvm_vm_ioctl",
         .object = "ioctl",
         .variants = kIoctlEntry,
         .provides = "ioctls on VMs, vCPUs and KVM's devices: ioctl.rate, ioctl.command",
         .types = kVm,
         .module = "kvm",
         .with = kKvmIoctls,
         .with_if_there = kCompatIoctls,
         .weakness = kDescriptors},
    Hook{.name = "vfio_device_fops_unl_ioctl",
         .object = "vfio",
         .variants = kIoctlEntry,
         .provides = "ioctls on VFIO: vfio.ioctl.rate, vfio.ioctl.command",
         .types = kVfio,
         .module = "vfio",
         .with_if_there = kVfioIoctls,
         .weakness = kDescriptors},
    Hook{.name = "kvm_cr",
         .object = "control",
         .variants = kTracepoint,
         .provides = "accesses to control registers that leave the guest: control_access.rate",
         .raised_by = "kvm_intel"},
    Hook{"kvm_set_cr4", "control", kFunctionEntry, "writes of CR4: control_write.rate", kVcpu,
         "kvm"},
    Hook{"kvm_post_set_cr0", "control", kFunctionEntry, "writes of CR0: control_write.rate", kVcpu,
         "kvm"},
    Hook{.name = "kvm_set_irq",
         .object = "interrupt",
         .variants = kFunctionOrTracepoint,
         .provides = "changes of a VM's interrupt lines, by whomever: irq.line.rate",
         .types = kVm,
         .module = "kvm",
         .weakness = kNoWorkers},
    Hook{.name = "kvm_set_msi",
         .object = "interrupt",
         .variants = kFunctionOrRawTracepoint,
         .provides = "message-signalled interrupts of a VM, by whomever: irq.msi.rate",
         .types = kVm,
         .module = "kvm",
         .with = kMsiAtOnce,
         .weakness = kNoWorkers},
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
    Hook{.name = "vhost_net_ioctl",
         .object = "vhost_net",
         .variants = kIoctlExit,
         .provides = "how vhost-net devices are set up: vhost.config.rate, vhost.config.command",
         .types = kVhostNet,
         .module = "vhost_net",
         .weakness = kDescriptors},
    Hook{"vhost_vsock_handle_tx_kick", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, sending: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_transport_do_send_pkt", "vhost_vsock", kFunctionEntry,
         "turns of vhost-vsock, receiving: vhost.run.rate", kVhostVsock, "vhost_vsock"},
    Hook{"vhost_add_used", "vhost_vsock", kFunctionEntry,
         "bytes to the guest over vsock: vsock.rx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{"virtio_transport_recv_pkt", "vhost_vsock", kTracepoint,
         "bytes from the guest over vsock: vsock.tx.byte.rate", kVhostVsock, "vhost_vsock"},
    Hook{.name = "vhost_vsock_dev_ioctl",
         .object = "vhost_vsock",
         .variants = kIoctlExit,
         .provides = "how vhost-vsock devices are set up: vhost.config.rate, vhost.config.command",
         .types = kVhostVsock,
         .module = "vhost_vsock",
         .weakness = kDescriptors},
};

// What they tell is how much; that a guest nests, or reaches for a device, others tell as well. Not
// kvm_exit, which tells why a guest left and looks at LSTAR.
constexpr std::array<absl::string_view, 13> kOptional = {
    "kvm_entry",        "kvm_vcpu_wakeup",     "kvm_inj_virq",  "kvm_inj_exception",
    "kvm_page_fault",   "kvm_emulate_insn",    "kvm_fast_mmio", "kvm_cr",
    "kvm_set_irq",      "kvm_dirty_ring_push", "vhost_signal",  "kvm_set_msi",
    "vhost_poll_wakeup"};

constexpr std::array<absl::string_view, 8> kProvenByCanary = {
    "kvm_track_tsc",      "kvm_pio",  "kvm_mmio",  "kvm_msr",
    "kvm_userspace_exit", "kvm_exit", "kvm_entry", "kvm_vm_ioctl"};

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
    case Variant::kSysEnter:
      return "sys_enter";
    case Variant::kSysExit:
      return "sys_exit";
    case Variant::kIterator:
      return "iter";
    case Variant::kProcessIterator:
      return "iter_process";
  }
  return "";
}

std::span<const Hook> Hooks() { return kHooks; }

bool IsWeak(const Hook& hook, Variant variant) {
  if (hook.weakness.empty()) return false;
  return variant == Variant::kTpBtf || variant == Variant::kRawTp ||
         variant == Variant::kSysEnter || variant == Variant::kSysExit;
}

bool IsOptional(const Hook& hook) {
  return std::ranges::find(kOptional, hook.name) != kOptional.end();
}

bool IsProvenByCanary(const Hook& hook) {
  return std::ranges::find(kProvenByCanary, hook.name) != kProvenByCanary.end();
}

std::vector<std::string> ProgramNames(const Hook& hook, Variant variant,
                                      std::span<const absl::string_view> absent) {
  if (variant == Variant::kIterator) return {"walk_files"};
  if (variant == Variant::kProcessIterator) return {"walk_devices"};
  std::vector<std::string> names;
  const auto add = [&](absl::string_view function) {
    const std::string name = absl::StrCat(function, "_", VariantName(variant));
    names.push_back(name);
    if (variant == Variant::kKretprobe) names.push_back(absl::StrCat(name, "_entry"));
  };
  const bool superseded =
      !hook.superseded_by.empty() && std::ranges::find(absent, hook.superseded_by) == absent.end();
  add(superseded ? hook.superseded_by : hook.name);
  // One program at the system calls, or at a tracepoint, does for all.
  if (IsWeak(hook, variant)) return names;
  for (const absl::string_view function : hook.with) add(function);
  for (const absl::string_view function : hook.with_if_there) {
    if (std::ranges::find(absent, function) == absent.end()) add(function);
  }
  return names;
}

}  // namespace kvmsentry
