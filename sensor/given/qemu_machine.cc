// Machine, memory, vCPUs and the windows of devices on QEMU's command line.
#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/given/device_windows.h"
#include "sensor/given/qemu.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kMebi = 1 << 20;
// Of most machines (hw/core/machine.c); some have another.
constexpr uint64_t kDefaultMemory = 128 * kMebi;

void SetMemory(const KeyValues& m, given::Memory* memory) {
  if (const auto size = m.GetSize("size", kMebi)) memory->size = {*size, FactOrigin::kArgv};
  if (const auto max = m.GetSize("maxmem", kMebi)) memory->max = {*max, FactOrigin::kArgv};
  if (const auto slots = m.GetNumber("slots")) memory->slots = {*slots, FactOrigin::kArgv};
}

void AddBacking(const KeyValues& object, Given* given) {
  absl::string_view type = object.Get("qom-type");
  constexpr absl::string_view kPrefix = "memory-backend-";
  if (!absl::StartsWith(type, kPrefix)) return;
  given::MemoryBacking* backing = AddPart(&given->memory.backing, "memory back ends", given);
  if (backing == nullptr) return;
  backing->id = ShownText(object.Get("id"));
  backing->kind = {ShownText(type.substr(kPrefix.size())), FactOrigin::kArgv};
  if (object.Has("mem-path")) {
    backing->path = {ShownPath(object.Get("mem-path")), FactOrigin::kArgv};
  }
  if (const auto size = object.GetSize("size")) backing->size = {*size, FactOrigin::kArgv};
  const auto shared = object.GetFlag("share");
  backing->shared =
      shared ? FlagFact(*shared, FactOrigin::kArgv) : FlagFact(false, FactOrigin::kDefault);
}

// "-smp 2,maxcpus=4,sockets=..."; what is missing follows from what is there
// (hw/core/machine-smp.c).
void SetCpus(const KeyValues& smp, given::Cpus* cpus) {
  uint64_t product = 1;
  bool any = false;
  for (const char* level :
       {"drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"}) {
    const std::optional<uint64_t> count = smp.GetNumber(level);
    if (!count || *count == 0) continue;
    any = true;
    if (__builtin_mul_overflow(product, *count, &product)) return;
  }
  std::optional<uint64_t> start = smp.GetNumber("cpus"), max = smp.GetNumber("maxcpus");
  if (!max) max = start ? start : any ? std::optional(product) : std::nullopt;
  if (!start) start = max;
  if (!start) return;
  cpus->start = {*start, FactOrigin::kArgv};
  cpus->max = {*max, FactOrigin::kArgv};
}

struct PortDevice {
  absl::string_view driver, key;
  uint64_t first, count;  // 0: where it lies is not known without the key
};
// ISA devices, with where they lie unless told otherwise (hw/char/serial-isa.c and the like).
constexpr std::array kPortDevices = {
    PortDevice{"isa-debugcon", "iobase", 0xe9, 1},
    PortDevice{"isa-serial", "iobase", 0, 8},
    PortDevice{"isa-parallel", "iobase", 0, 8},
    PortDevice{"pvpanic", "ioport", 0x505, 1},
    PortDevice{"isa-debug-exit", "iobase", 0x501, 2},
    PortDevice{"ne2k_isa", "iobase", 0x300, 32},
    PortDevice{"sb16", "iobase", 0x220, 16},
    PortDevice{"adlib", "iobase", 0x220, 2},
    PortDevice{"isa-fdc", "iobase", 0x3f0, 8},
    PortDevice{"isa-applesmc", "iobase", 0x300, 32},
    PortDevice{"isa-ipmi-kcs", "ioport", 0xca2, 2},
    PortDevice{"isa-ipmi-bt", "ioport", 0xe4, 3},
};

void AddWindow(const QemuDevice& device, Given* given) {
  const auto known =
      std::ranges::find(kPortDevices, absl::string_view(device.driver), &PortDevice::driver);
  if (known == kPortDevices.end()) return;
  const std::optional<uint64_t> told = device.values.GetNumber(known->key);
  if (!told && known->first == 0) return;
  const uint64_t first = told.value_or(known->first);
  if (first > 0xffff) return;
  given::Window* window = AddPart(&given->windows, "windows", given);
  if (window == nullptr) return;
  *window = {.ports = true,
             .first = first,
             .last = std::min<uint64_t>(first + known->count - 1, 0xffff),
             .device = ShownText(device.driver),
             .origin = told ? FactOrigin::kArgv : FactOrigin::kDefault};
}

}  // namespace

void AddQemuMachine(const QemuLine& line, Given* given) {
  given::Memory& memory = given->memory;
  memory.size = {kDefaultMemory, FactOrigin::kDefault};
  given->cpus.start = given->cpus.max = {1, FactOrigin::kDefault};
  std::string path, machine;
  bool limit_set = false;
  for (const auto& [name, value] : line.options) {
    if (name == "m") {
      SetMemory(KeyValues::OfQemu(value, "size"), &memory);
    } else if (name == "object") {
      AddBacking(KeyValues::OfEither(value, "qom-type"), given);
    } else if (name == "mem-path") {
      path = value;
    } else if (name == "smp") {
      SetCpus(KeyValues::OfQemu(value, "cpus"), &given->cpus);
    } else if (name == "machine" || name == "M") {
      const KeyValues told = KeyValues::OfEither(value, "type");
      limit_set |= told.Has("max-ram-below-4g");
      if (const std::string& type = told.Get("type"); !type.empty()) machine = type;
    }
  }
  if (!path.empty()) {
    if (given::MemoryBacking* backing = AddPart(&memory.backing, "memory back ends", given)) {
      backing->id = "mem-path";
      backing->kind = {"file", FactOrigin::kArgv};
      backing->path = {ShownPath(path), FactOrigin::kArgv};
      backing->size = memory.size;
      backing->shared = {false, FactOrigin::kDefault};
    }
  }
  memory.max.Offer(memory.size);
  memory.slots.Offer({0, FactOrigin::kDefault});
  if (!machine.empty()) given->machine = {ShownText(machine), FactOrigin::kArgv};
  for (const QemuDevice& device : line.devices) AddWindow(device, given);
  AddQemuWindows(machine, limit_set, given);
}

}  // namespace kvmsentry
