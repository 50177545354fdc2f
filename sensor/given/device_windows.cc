#include "sensor/given/device_windows.h"

#include <array>
#include <cstdint>
#include <span>

#include "absl/strings/match.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kGibi = 1 << 30;
constexpr uint64_t kLastOf32Bits = 4 * kGibi - 1;
constexpr uint64_t kLastAddress =
    (uint64_t{1} << 52) - 1;  // that processors have, SDM vol. 1 3.3.1

struct Lies {
  uint64_t first, last;
  const char* device;
};

// As QEMU 7.2 lists them ("info mtree -f"). What firmware and guests place anew, above 0x1000 or,
// by SeaBIOS (src/config.h), at 0x600 and 0x700, may lie wherever these may be placed.
constexpr std::array kPcPorts = {
    Lies{0x0, 0xff, "system board"},      Lies{0x1ce, 0x1d1, "VBE"},
    Lies{0x378, 0x37f, "parallel port"},  Lies{0x3b0, 0x3df, "VGA"},
    Lies{0x3f8, 0x3ff, "serial port"},    Lies{0x4d0, 0x4d1, "interrupt controllers"},
    Lies{0x505, 0x505, "pvpanic"},        Lies{0x510, 0x51b, "firmware configuration"},
    Lies{0x600, 0x67f, "ACPI"},           Lies{0x700, 0x73f, "SMBus"},
    Lies{0xa00, 0xa1f, "memory hotplug"}, Lies{0xcf8, 0xcff, "PCI configuration"},
    Lies{0x1000, 0xffff, "PCI devices"},
};
constexpr std::array k440fxPorts = {
    Lies{0x170, 0x177, "IDE"},
    Lies{0x1f0, 0x1f7, "IDE"},
    Lies{0x376, 0x376, "IDE"},
    Lies{0x3f0, 0x3f7, "floppy controller, IDE"},
};
constexpr std::array kQ35Ports = {Lies{0xcc0, 0xcf7, "hotplug"}};
// hw/i386/microvm.c
constexpr std::array kMicrovmPorts = {
    Lies{0x20, 0x21, "interrupt controllers"},
    Lies{0x40, 0x43, "timer"},
    Lies{0x61, 0x61, "timer"},
    Lies{0x70, 0x71, "clock"},
    Lies{0x7e, 0x7f, "kvmvapic"},
    Lies{0xa0, 0xa1, "interrupt controllers"},
    Lies{0x3f8, 0x3ff, "serial port"},
    Lies{0x4d0, 0x4d1, "interrupt controllers"},
    Lies{0x510, 0x51b, "firmware configuration"},
};
constexpr std::array kMicrovmAddresses = {
    Lies{0xc0000000, 0xefffffff, "PCI devices"},
    Lies{0xfe900000, 0xfeefffff, "virtio, ACPI, interrupt controllers"},
    Lies{4 * kGibi, kLastAddress, "PCI devices"},
};
// Of its sources, arch/x86_64 and device_manager, and what KVM emulates for it.
constexpr std::array kFirecrackerPorts = {
    Lies{0x20, 0x21, "interrupt controllers"},   Lies{0x40, 0x43, "timer"},
    Lies{0x60, 0x64, "keyboard controller"},     Lies{0xa0, 0xa1, "interrupt controllers"},
    Lies{0x2e8, 0x2ef, "serial port"},           Lies{0x2f8, 0x2ff, "serial port"},
    Lies{0x3e8, 0x3ef, "serial port"},           Lies{0x3f8, 0x3ff, "serial port"},
    Lies{0x4d0, 0x4d1, "interrupt controllers"}, Lies{0xcf8, 0xcff, "PCI configuration"},
};
constexpr std::array kFirecrackerAddresses = {
    Lies{3 * kGibi, kLastOf32Bits, "virtio, interrupt controllers"},
    Lies{4 * kGibi, kLastAddress, "PCI devices"},
};

void Add(bool ports, std::span<const Lies> all, Given* given) {
  for (const Lies& lies : all) {
    given::Window* window = AddPart(&given->windows, "windows", given);
    if (window == nullptr) return;
    *window = {.ports = ports,
               .first = lies.first,
               .last = lies.last,
               .device = lies.device,
               .origin = FactOrigin::kDefault};
  }
}

void AddPorts(std::span<const Lies> all, Given* given) { Add(/*ports=*/true, all, given); }
void AddAddresses(std::span<const Lies> all, Given* given) { Add(/*ports=*/false, all, given); }

// Where the memory below 4 GiB ends: hw/i386/pc_piix.c and pc_q35.c. Devices lie above it, and
// above 2 GiB, where firmware places them.
uint64_t HoleOf(bool q35, uint64_t memory) {
  if (memory <= 2 * kGibi) return 2 * kGibi;
  if (q35) return memory >= 0xb0000000 ? 2 * kGibi : memory;
  return memory >= 0xe0000000 ? 3 * kGibi : memory;
}

void AddPc(bool q35, bool hole_told, Given* given) {
  AddPorts(kPcPorts, given);
  AddPorts(q35 ? std::span<const Lies>(kQ35Ports) : std::span<const Lies>(k440fxPorts), given);
  const bool known = !hole_told && given->memory.size.known();
  const uint64_t hole = known ? HoleOf(q35, *given->memory.size.value) : 0x100000;
  const std::array addresses = {
      Lies{0xa0000, 0xfffff, "VGA, firmware"},
      Lies{hole, kLastOf32Bits, "PCI devices, interrupt controllers, firmware"},
      Lies{4 * kGibi, kLastAddress, "PCI devices"},
  };
  AddAddresses(addresses, given);
}

}  // namespace

void AddQemuWindows(absl::string_view machine, bool hole_told, Given* given) {
  given->windows_whole = true;
  if (machine == "microvm") {
    AddPorts(kMicrovmPorts, given);
    AddAddresses(kMicrovmAddresses, given);
  } else if (machine == "q35" || absl::StartsWith(machine, "pc-q35-")) {
    AddPc(/*q35=*/true, hole_told, given);
  } else if (machine.empty() || machine == "pc" || absl::StartsWith(machine, "pc-")) {
    AddPc(/*q35=*/false, hole_told, given);
  } else {
    given->windows_whole = false;
  }
}

void AddFirecrackerWindows(Given* given) {
  AddPorts(kFirecrackerPorts, given);
  AddAddresses(kFirecrackerAddresses, given);
  given->windows_whole = true;
}

}  // namespace kvmsentry
