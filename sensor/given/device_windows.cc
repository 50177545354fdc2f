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

struct Range {
  uint64_t first, last;
  const char* device;
};

// As QEMU 7.2 lists them ("info mtree -f"). What firmware and guests move, above 0x1000 or,
// by SeaBIOS (src/config.h), at 0x600 and 0x700, may lie wherever these may be placed.
constexpr std::array kPcPorts = {
    Range{0x0, 0xff, "system board"},
    Range{0x1ce, 0x1d1, "VBE"},
    Range{0x278, 0x27f, "parallel ports"},
    Range{0x2e8, 0x2ef, "serial ports"},
    Range{0x2f8, 0x2ff, "serial ports"},
    Range{0x378, 0x37f, "parallel ports"},
    Range{0x3b0, 0x3df, "VGA, parallel ports"},
    Range{0x3e8, 0x3ef, "serial ports"},
    Range{0x3f8, 0x3ff, "serial ports"},
    Range{0x4d0, 0x4d1, "interrupt controllers"},
    Range{0x505, 0x505, "pvpanic"},
    Range{0x510, 0x51b, "firmware configuration"},
    Range{0x600, 0x67f, "ACPI"},
    Range{0x700, 0x73f, "SMBus"},
    Range{0xa00, 0xa1f, "memory hotplug"},
    Range{0xcf8, 0xcff, "PCI configuration"},
    Range{0x1000, 0xffff, "PCI devices"},
};
constexpr std::array k440fxPorts = {
    Range{0x170, 0x177, "IDE"},
    Range{0x1f0, 0x1f7, "IDE"},
    Range{0x376, 0x376, "IDE"},
    Range{0x3f0, 0x3f7, "floppy controller, IDE"},
};
constexpr std::array kQ35Ports = {Range{0xcc0, 0xcf7, "hotplug"}};
// hw/i386/microvm.c
constexpr std::array kMicrovmPorts = {
    Range{0x20, 0x21, "interrupt controllers"},
    Range{0x40, 0x43, "timer"},
    Range{0x61, 0x61, "timer"},
    Range{0x70, 0x71, "clock"},
    Range{0x7e, 0x7f, "kvmvapic"},
    Range{0xa0, 0xa1, "interrupt controllers"},
    Range{0x3f8, 0x3ff, "serial port"},
    Range{0x4d0, 0x4d1, "interrupt controllers"},
    Range{0x510, 0x51b, "firmware configuration"},
};
constexpr std::array kMicrovmAddresses = {
    Range{0xc0000000, 0xefffffff, "PCI devices"},
    Range{0xfe900000, 0xfeefffff, "virtio, ACPI, interrupt controllers"},
    Range{4 * kGibi, kLastAddress, "PCI devices"},
};
// Of its sources, arch/x86_64 and device_manager, and what KVM emulates for it.
constexpr std::array kFirecrackerPorts = {
    Range{0x20, 0x21, "interrupt controllers"},   Range{0x40, 0x43, "timer"},
    Range{0x60, 0x64, "keyboard controller"},     Range{0xa0, 0xa1, "interrupt controllers"},
    Range{0x2e8, 0x2ef, "serial port"},           Range{0x2f8, 0x2ff, "serial port"},
    Range{0x3e8, 0x3ef, "serial port"},           Range{0x3f8, 0x3ff, "serial port"},
    Range{0x4d0, 0x4d1, "interrupt controllers"}, Range{0xcf8, 0xcff, "PCI configuration"},
};
constexpr std::array kFirecrackerAddresses = {
    Range{3 * kGibi, kLastOf32Bits, "virtio, interrupt controllers"},
    Range{4 * kGibi, kLastAddress, "PCI devices"},
};

void Add(bool ports, std::span<const Range> all, Given* given) {
  for (const Range& range : all) {
    given::Window* window = AddPart(&given->windows, "windows", given);
    if (window == nullptr) return;
    *window = {.ports = ports,
               .first = range.first,
               .last = range.last,
               .device = range.device,
               .origin = FactOrigin::kDefault};
  }
}

void AddPorts(std::span<const Range> all, Given* given) { Add(/*ports=*/true, all, given); }
void AddAddresses(std::span<const Range> all, Given* given) { Add(/*ports=*/false, all, given); }

// Where the memory below 4 GiB ends: hw/i386/pc_piix.c and pc_q35.c. Firmware places devices
// far above it, but those that are plugged later begin there.
uint64_t HoleOf(bool q35, uint64_t memory) {
  if (q35) return memory >= 0xb0000000 ? 2 * kGibi : memory;
  return memory >= 0xe0000000 ? 3 * kGibi : memory;
}

void AddPc(bool q35, bool limit_set, Given* given) {
  AddPorts(kPcPorts, given);
  AddPorts(q35 ? std::span<const Range>(kQ35Ports) : std::span<const Range>(k440fxPorts), given);
  const bool known = !limit_set && given->memory.size.known();
  const uint64_t hole = known ? HoleOf(q35, *given->memory.size.value) : 0x100000;
  const std::array addresses = {
      Range{0xa0000, 0xfffff, "VGA, firmware"},
      Range{hole, kLastOf32Bits, "PCI devices, interrupt controllers, firmware"},
      Range{4 * kGibi, kLastAddress, "PCI devices"},
  };
  AddAddresses(addresses, given);
}

}  // namespace

void AddQemuWindows(absl::string_view machine, bool limit_set, Given* given) {
  given->windows_whole = true;
  if (machine == "microvm") {
    AddPorts(kMicrovmPorts, given);
    AddAddresses(kMicrovmAddresses, given);
  } else if (machine == "q35" || absl::StartsWith(machine, "pc-q35-")) {
    AddPc(/*q35=*/true, limit_set, given);
  } else if (machine.empty() || machine == "pc" || absl::StartsWith(machine, "pc-")) {
    AddPc(/*q35=*/false, limit_set, given);
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
