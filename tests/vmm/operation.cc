#include "tests/vmm/operation.h"

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/vhost/net_device.h"
#include "tests/vhost/vsock_device.h"
#include "tests/vmm/conduct.h"
#include "tests/vmm/faults.h"
#include "tests/vmm/memory.h"
#include "tests/vmm/tap.h"
#include "tests/vmm/vcpu.h"
#include "tests/vmm/vfio_device.h"
#include "tests/vmm/vm_life.h"

namespace kvmsentry {
namespace {

static_assert(kOperationMemory >= NetDevice::kBytes && kOperationMemory >= VsockDevice::kBytes);

using OperationOr = absl::StatusOr<Operation>;

OperationOr IrqLine(const TestMachine& machine) {
  return [&machine, level = 0U]() mutable {
    kvm_irq_level line{};
    line.irq = 5;
    line.level = level ^= 1;
    if (ioctl(machine.vm.vm(), KVM_IRQ_LINE, &line) == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "KVM_IRQ_LINE");
  };
}

// To the first vCPU, which does not run.
OperationOr Msi(const TestMachine& machine) {
  return [&machine] {
    kvm_msi msi{};
    msi.address_lo = 0xfee00000;
    msi.data = 0x40;  // the vector
    if (ioctl(machine.vm.vm(), KVM_SIGNAL_MSI, &msi) >= 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "KVM_SIGNAL_MSI");
  };
}

// Takes the filter of MSRs off, which none was set on.
OperationOr FilterMsrs(const TestMachine& machine) {
  return [&machine] {
    kvm_msr_filter filter{};
    if (ioctl(machine.vm.vm(), KVM_X86_SET_MSR_FILTER, &filter) == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "KVM_X86_SET_MSR_FILTER");
  };
}

// OPERATION on a vhost-net device of the VM.
OperationOr OnNet(const TestMachine& machine, absl::Status (*operation)(NetDevice&)) {
  KVMSENTRY_ASSIGN_OR_RETURN(NetDevice opened, NetDevice::Open(*machine.memory));
  auto net = std::make_shared<NetDevice>(std::move(opened));
  return [net, operation] { return operation(*net); };
}

// A vhost-net device whose rings lie in the VMM's own memory, not in the guest's.
OperationOr OnNetOutside(const TestMachine& /*machine*/) {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMemory mapped, TestMemory::Map(kOperationMemory));
  auto memory = std::make_shared<TestMemory>(std::move(mapped));
  KVMSENTRY_ASSIGN_OR_RETURN(NetDevice opened, NetDevice::Open(*memory));
  auto net = std::make_shared<NetDevice>(std::move(opened));
  return [memory, net] { return net->Send(1); };
}

// OPERATION on a connection between the host and the VM.
OperationOr OnVsock(const TestMachine& machine, absl::Status (*operation)(VsockDevice&)) {
  constexpr uint32_t kFirstCid = 1 << 16;  // above those of other VMs, most likely
  KVMSENTRY_ASSIGN_OR_RETURN(
      VsockDevice opened,
      VsockDevice::Open(*machine.memory, kFirstCid + static_cast<uint32_t>(getpid())));
  auto vsock = std::make_shared<VsockDevice>(std::move(opened));
  KVMSENTRY_RETURN_IF_ERROR(vsock->Connect());
  return [vsock, operation] { return operation(*vsock); };
}

// OPERATION on a device of the host that was passed through.
OperationOr OnVfio(absl::Status (VfioDevice::*operation)()) {
  KVMSENTRY_ASSIGN_OR_RETURN(VfioDevice opened, VfioDevice::Open());
  auto vfio = std::make_shared<VfioDevice>(std::move(opened));
  return [vfio, operation] { return ((*vfio).*operation)(); };
}

// OPERATION on a tap of the VMM's own.
OperationOr OnTap(absl::Status (Tap::*operation)()) {
  KVMSENTRY_ASSIGN_OR_RETURN(Tap opened, Tap::Open());
  auto tap = std::make_shared<Tap>(std::move(opened));
  return [tap, operation] { return ((*tap).*operation)(); };
}

constexpr KnownOperation kKnown[] = {
    {"irq-line", IrqLine},
    {"msi", Msi},
    {"filter-msrs", FilterMsrs},
    {"net-send",
     [](const TestMachine& machine) {
       return OnNet(machine, [](NetDevice& net) { return net.Send(1); });
     }},
    {"net-outside", OnNetOutside},
    {"net-refused",
     [](const TestMachine& machine) {
       return OnNet(machine, [](NetDevice& net) { return net.AskForOddRing(); });
     }},
    {"net-configure",
     [](const TestMachine& machine) {
       return OnNet(machine, [](NetDevice& net) { return net.Settle(); });
     }},
    {"net-nonsense",
     [](const TestMachine& machine) {
       return OnNet(machine, [](NetDevice& net) { return net.SendNonsense(); });
     }},
    {"vsock-send",
     [](const TestMachine& machine) {
       return OnVsock(machine,
                      [](VsockDevice& vsock) { return vsock.GuestSends(VsockDevice::kPayload); });
     }},
    {"vsock-receive",
     [](const TestMachine& machine) {
       return OnVsock(machine,
                      [](VsockDevice& vsock) { return vsock.HostSends(VsockDevice::kPayload); });
     }},
    {"tap-idle", [](const TestMachine&) { return OnTap(&Tap::Idle); }},
    {"tap-send", [](const TestMachine&) { return OnTap(&Tap::Send); }},
    {"tap-send-nonsense", [](const TestMachine&) { return OnTap(&Tap::SendNonsense); }},
    {"vfio-ask", [](const TestMachine&) { return OnVfio(&VfioDevice::Ask); }},
    {"vfio-reset", [](const TestMachine&) { return OnVfio(&VfioDevice::Reset); }},
};

std::array<std::span<const KnownOperation>, 6> AllKnown() {
  return {kKnown,
          VcpuOperations(),
          MemoryOperations(),
          FaultOperations(),
          ConductOperations(),
          VmLifeOperations()};
}

}  // namespace

std::vector<std::string> OperationNames() {
  std::vector<std::string> names;
  for (const auto known : AllKnown()) {
    for (const KnownOperation& operation : known) names.emplace_back(operation.name);
  }
  return names;
}

absl::StatusOr<Operation> MakeOperation(absl::string_view name, const TestMachine& machine) {
  for (const auto known : AllKnown()) {
    for (const KnownOperation& operation : known) {
      if (operation.name == name) return operation.make(machine);
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("no operation ", name));
}

}  // namespace kvmsentry
