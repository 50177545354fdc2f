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

constexpr std::array<absl::string_view, 2> kVendorTypes = {"vcpu_svm", "vcpu_vmx"};

constexpr std::array kHooks = {
    Hook{"kvm_track_tsc", "life", kTracepoint,
         "VMs are seen at their birth, and reused addresses are kept apart"},
    Hook{"task_file", "inventory", kIteratorOnly,
         "VMs that were there before the sensor, and which process holds which"},
    Hook{"task_file_devices", "inventory", kProcessIteratorOnly,
         "devices of a VM on the host: taps, vhost, disks"},
    Hook{"kvm_pio", "device", kTracepoint, "port accesses: pio.rate, pio.port"},
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
    case Variant::kIterator:
      return "iter";
    case Variant::kProcessIterator:
      return "iter_process";
  }
  return "";
}

std::span<const Hook> Hooks() { return kHooks; }

std::string ProgramName(const Hook& hook, Variant variant) {
  if (variant == Variant::kIterator) return "walk_files";
  if (variant == Variant::kProcessIterator) return "walk_devices";
  return absl::StrCat(hook.name, "_", VariantName(variant));
}

}  // namespace kvmsentry
