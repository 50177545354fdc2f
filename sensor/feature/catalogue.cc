#include "sensor/feature/catalogue.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sensor/base/nearest.h"
#include "sensor/feature/members.h"

namespace kvmsentry {
namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr Points kLeaving(Point::kK2, Point::kR5);
constexpr Points kIoParameters(Point::kR5, Point::kK2);
constexpr Points kEntering(Point::kK3, Point::kR5);
constexpr Points kHostDevice(Point::kK5, Point::kK2, Point::kR5);
constexpr Points kShared(Point::kK4, Point::kK5);
constexpr Points kMigrating(Point::kK6, Point::kR1);
// By its commands a VMM changes the machine, moves it, and grants it things.
constexpr Points kManaging(Point::kR2, Point::kK3, Point::kK6, Point::kK7, Point::kR3, Point::kR5);
constexpr Points kPassedThrough(Point::kK4, Point::kR2);
constexpr Points kConfigured(Point::kK5, Point::kK6, Point::kR5);
constexpr Points kPrivilege(Point::kR2, Point::kK2);

constexpr HookNames kControlWrites("kvm_set_cr4", "kvm_post_set_cr0");
// Each kind of device has its own.
constexpr HookNames kVhostTurns("handle_tx", "handle_rx", "vhost_vsock_handle_tx_kick",
                                "vhost_transport_do_send_pkt");
// In which of the first two a device is counted depends on its kind, which the others tell.
constexpr HookNames kVhostSignals("vhost_add_used_and_signal_n", "vhost_signal", "handle_tx",
                                  "handle_rx");
constexpr HookNames kVhostIoctls("vhost_net_ioctl", "vhost_vsock_dev_ioctl");

using F = FeatureId;

constexpr std::array kCatalogue = {
    Feature{F::kPioRate, "pio.rate", kRate, kLeaving, "1/s", "port accesses", "kvm_pio",
            Field::kPort, KS_METER_PIO},
    Feature{F::kPioPort, "pio.port", kSet, kIoParameters, "port", "port accesses", "kvm_pio",
            Field::kPort, std::nullopt},
    Feature{F::kPciConfigRate, "pci_config.rate", kRate, kIoParameters, "1/s",
            "accesses to PCI configuration", "kvm_pio", Field::kPort, KS_METER_PCI_CONFIG},
    Feature{F::kMmioRate, "mmio.rate", kRate, kLeaving, "1/s", "MMIO accesses", "kvm_mmio",
            Field::kGuestAddress, KS_METER_MMIO},
    Feature{F::kMmioPage, "mmio.page", kSet, kIoParameters, "guest page", "MMIO accesses",
            "kvm_mmio", Field::kGuestPage, std::nullopt},
    Feature{F::kMsrRate, "msr.rate", kRate, kPrivilege, "1/s", "MSR accesses", "kvm_msr",
            Field::kMsr, KS_METER_MSR},
    Feature{F::kMsrFaultRate, "msr.fault.rate", kRate, kPrivilege, "1/s", "refused MSR accesses",
            "kvm_msr", Field::kMsr, KS_METER_MSR_FAULT},
    Feature{F::kMsrWritten, "msr.written", kSet, kPrivilege, "msr", "MSR writes", "kvm_msr",
            Field::kMsr, std::nullopt},
    Feature{F::kUserspaceExitRate, "userspace_exit.rate", kRate, kLeaving, "1/s",
            "exits to user space", "kvm_userspace_exit", Field::kExitReason,
            KS_METER_USERSPACE_EXIT},
    Feature{F::kUserspaceErrorRate, "userspace_exit.error.rate", kRate, kLeaving, "1/s",
            "failed runs of a vCPU", "kvm_userspace_exit", Field::kExitReason,
            KS_METER_USERSPACE_ERROR},
    Feature{F::kUserspaceExitReason, "userspace_exit.reason", kSet, kLeaving, "exit reason",
            "exits to user space", "kvm_userspace_exit", Field::kExitReason, std::nullopt},
    Feature{F::kExitRate, "exit.rate", kRate, Points(Point::kK2), "1/s", "VM exits", "kvm_exit",
            Field::kVmExit, KS_METER_EXIT},
    Feature{F::kExitReason, "exit.reason", kSet, kPrivilege, "VM exit", "VM exits", "kvm_exit",
            Field::kVmExit, std::nullopt},
    Feature{F::kEntryRate, "entry.rate", kRate, Points(Point::kK3), "1/s", "VM entries",
            "kvm_entry", Field::kNone, KS_METER_ENTRY},
    Feature{F::kHaltRate, "halt.rate", kRate, Points(Point::kK2, Point::kR1), "1/s", "halts",
            "kvm_vcpu_wakeup", Field::kNone, KS_METER_HALT},
    Feature{F::kNestedEntryRate, "nested_entry.rate", kRate, kPrivilege, "1/s", "nested VM entries",
            "kvm_nested_vmenter", Field::kNone, KS_METER_NESTED_ENTRY},
    Feature{F::kInterruptRate, "interrupt.rate", kRate, kEntering, "1/s", "injected interrupts",
            "kvm_inj_virq", Field::kVector, KS_METER_INTERRUPT},
    Feature{F::kExceptionRate, "exception.rate", kRate, kEntering, "1/s", "injected exceptions",
            "kvm_inj_exception", Field::kVector, KS_METER_EXCEPTION},
    Feature{F::kNestedExitRate, "nested_exit.rate", kRate, kPrivilege, "1/s", "nested VM exits",
            "kvm_nested_vmexit", Field::kNone, KS_METER_NESTED_EXIT},
    Feature{F::kHypercallRate, "hypercall.rate", kRate, kPrivilege, "1/s", "hypercalls",
            "kvm_hypercall", Field::kHypercall, KS_METER_HYPERCALL},
    Feature{F::kHypercallNumber, "hypercall.number", kSet, kPrivilege, "hypercall", "hypercalls",
            "kvm_hypercall", Field::kHypercall, std::nullopt},
    Feature{F::kControlWriteRate, "control_write.rate", kRate, kPrivilege, "1/s",
            "writes of control registers", kControlWrites, Field::kControlRegister,
            KS_METER_CONTROL_WRITE},
    Feature{F::kPageFaultRate, "page_fault.rate", kRate, Points(Point::kK2, Point::kR1), "1/s",
            "page faults of KVM", "kvm_page_fault", Field::kNone, KS_METER_PAGE_FAULT},
    Feature{F::kEmulationRate, "emulation.rate", kRate, kLeaving, "1/s", "emulated instructions",
            "kvm_emulate_insn", Field::kNone, KS_METER_EMULATION},
    Feature{F::kFastMmioRate, "fast_mmio.rate", kRate, kLeaving, "1/s", "fast MMIO writes",
            "kvm_fast_mmio", Field::kGuestAddress, KS_METER_FAST_MMIO},
    Feature{F::kControlAccessRate, "control_access.rate", kRate, kPrivilege, "1/s",
            "accesses to control registers that left the guest", "kvm_cr", Field::kControlRegister,
            KS_METER_CONTROL_ACCESS},
    Feature{F::kDirtyPageRate, "dirty_page.rate", kRate, kMigrating, "1/s", "pages made dirty",
            "kvm_dirty_ring_push", Field::kNone, KS_METER_DIRTY_PAGE},
    Feature{F::kDirtyRingFullRate, "dirty_ring.full.rate", kRate, kMigrating, "1/s",
            "stops by a full dirty ring", "kvm_dirty_ring_exit", Field::kNone, KS_METER_DIRTY_FULL},
    Feature{F::kDirtyRingResetRate, "dirty_ring.reset.rate", kRate, kMigrating, "1/s",
            "dirty rings emptied", "kvm_dirty_ring_reset", Field::kNone, KS_METER_DIRTY_RESET},
    Feature{F::kIrqLineRate, "irq.line.rate", kRate, kEntering, "1/s", "changes of interrupt lines",
            "kvm_set_irq", Field::kNone, KS_METER_IRQ_LINE},
    Feature{F::kIrqMsiRate, "irq.msi.rate", kRate, kEntering, "1/s", "message-signalled interrupts",
            "kvm_set_msi_irq", Field::kNone, KS_METER_IRQ_MSI},
    Feature{F::kIoctlRate, "ioctl.rate", kRate, kManaging, "1/s",
            "ioctls on the VM, its vCPUs and its devices in KVM", "kvm_vm_ioctl", Field::kNone,
            KS_METER_IOCTL},
    Feature{F::kIoctlCommand, "ioctl.command", kSet, kManaging, "ioctl",
            "ioctls on the VM, its vCPUs and its devices in KVM", "kvm_vm_ioctl", Field::kKvmIoctl,
            std::nullopt},
    Feature{F::kVfioIoctlRate, "vfio.ioctl.rate", kRate, kPassedThrough, "1/s", "ioctls on VFIO",
            "vfio_device_fops_unl_ioctl", Field::kNone, KS_METER_VFIO_IOCTL},
    Feature{F::kVfioIoctlCommand, "vfio.ioctl.command", kSet, kPassedThrough, "VFIO ioctl",
            "ioctls on VFIO", "vfio_device_fops_unl_ioctl", Field::kVfioIoctl, std::nullopt},
    Feature{F::kVhostRunRate, "vhost.run.rate", kRate, kHostDevice, "1/s", "turns of vhost",
            kVhostTurns, Field::kNone, KS_METER_VHOST_RUN},
    Feature{F::kVhostKickRate, "vhost.kick.rate", kRate, kHostDevice, "1/s", "kicks of vhost",
            "vhost_poll_wakeup", Field::kNone, KS_METER_VHOST_KICK},
    Feature{F::kVhostSignalRate, "vhost.signal.rate", kRate, Points(Point::kK3, Point::kK5), "1/s",
            "signals of vhost", kVhostSignals, Field::kNone, KS_METER_VHOST_SIGNAL},
    Feature{F::kVhostBadDescriptorRate, "vhost.bad_descriptor.rate", kRate, kHostDevice, "1/s",
            "descriptors that vhost refused", "vhost_get_vq_desc", Field::kNone,
            KS_METER_VHOST_BAD_DESCRIPTOR},
    Feature{F::kVhostConfigRate, "vhost.config.rate", kRate, kHostDevice, "1/s",
            "ioctls on vhost devices", kVhostIoctls, Field::kNone, KS_METER_VHOST_CONFIG},
    Feature{F::kVhostConfigCommand, "vhost.config.command", kSet, kConfigured, "vhost ioctl",
            "ioctls on vhost devices", kVhostIoctls, Field::kVhostIoctl, std::nullopt},
    Feature{F::kVsockRxByteRate, "vsock.rx.byte.rate", kRate, kShared, "1/s",
            "bytes to the guest over vsock", "vhost_add_used", Field::kNone,
            KS_METER_VSOCK_RX_BYTES},
    Feature{F::kVsockTxByteRate, "vsock.tx.byte.rate", kRate, kShared, "1/s",
            "bytes from the guest over vsock", "virtio_transport_recv_pkt", Field::kNone,
            KS_METER_VSOCK_TX_BYTES},
};

constexpr bool OrderedById() {
  for (size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<size_t>(kCatalogue[i].id) != i) return false;
  }
  return true;
}
static_assert(OrderedById());

}  // namespace

std::span<const Feature> Catalogue() { return kCatalogue; }

const Feature& FeatureOf(FeatureId id) { return kCatalogue[static_cast<size_t>(id)]; }

const Feature* FindFeature(absl::string_view name) {
  const auto found = std::ranges::find(kCatalogue, name, &Feature::name);
  return found == kCatalogue.end() ? nullptr : &*found;
}

const Feature& NearestFeature(absl::string_view name) {
  return NearestTo(name, kCatalogue, [](const Feature& feature) { return feature.name; });
}

const Feature* FeatureOfMeter(uint32_t meter) {
  const auto found = std::ranges::find_if(
      kCatalogue, [meter](const Feature& f) { return f.meter && *f.meter == meter; });
  return found == kCatalogue.end() ? nullptr : &*found;
}

std::string MemberText(Field field, uint64_t member) {
  if (member == kUntoldMember && field != Field::kGuestAddress) return "more than are told apart";
  const absl::string_view name = NameOfMember(field, member);
  switch (field) {
    case Field::kPort:
      return name.empty() ? absl::StrFormat("port 0x%x", member)
                          : absl::StrFormat("port 0x%x (%s)", member, name);
    case Field::kMsr:
      return name.empty() ? absl::StrFormat("MSR 0x%x", member)
                          : absl::StrFormat("MSR %s (0x%x)", name, member);
    case Field::kExitReason:
      return name.empty() ? absl::StrFormat("exit reason %d", member) : std::string(name);
    case Field::kGuestAddress:
      return absl::StrFormat("guest address 0x%x", member);
    case Field::kVmExit:
      return name.empty() ? absl::StrFormat("VM exit 0x%x", member)
                          : absl::StrCat("VM exit ", name);
    case Field::kVector:
      return absl::StrFormat("vector 0x%x", member);
    case Field::kHypercall:
      return name.empty() ? absl::StrFormat("hypercall %d", member)
                          : absl::StrFormat("hypercall %s (%d)", name, member);
    case Field::kControlRegister:
      return absl::StrFormat("CR%d", member);
    case Field::kGuestPage:
      return absl::StrFormat("guest page 0x%x", member);
    case Field::kKvmIoctl:
      return name.empty() ? absl::StrFormat("KVM ioctl %d", member)
                          : absl::StrCat("KVM ioctl ", name);
    case Field::kVhostIoctl:
      return name.empty() ? absl::StrFormat("vhost ioctl %d", member)
                          : absl::StrCat("vhost ioctl ", name);
    case Field::kVfioIoctl:
      return name.empty() ? absl::StrFormat("VFIO ioctl %d", member)
                          : absl::StrCat("VFIO ioctl ", name);
    case Field::kNone:
      break;
  }
  return absl::StrFormat("%d", member);
}

}  // namespace kvmsentry
