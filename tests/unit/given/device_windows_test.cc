// Where QEMU itself says that its machines' devices and memory lie.
#include "sensor/given/device_windows.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "sensor/given/qemu.h"
#include "tests/support/assert_ok.h"
#include "tests/support/process.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

struct Region {
  uint64_t first = 0, last = 0;
  std::string kind, name;  // "i/o", "ram"; "pic"
};

struct Machine {
  std::vector<Region> ports, addresses;
};

// "  0000000000000020-0000000000000021 (prio 0, i/o): pic"
std::optional<Region> RegionOf(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" -():,\r"), absl::SkipEmpty());
  Region region;
  if (words.size() < 6 || !absl::SimpleHexAtoi(words[0], &region.first) ||
      !absl::SimpleHexAtoi(words[1], &region.last)) {
    return std::nullopt;
  }
  region.kind = std::string(words[4]);
  region.name = std::string(words[5]);
  return region;
}

// As its monitor tells.
absl::StatusOr<Machine> AskQemu(const std::vector<std::string>& args) {
  std::vector<std::string> command = {"qemu-system-x86_64", "-accel", "tcg",     "-S",
                                      "-display",           "none",   "-serial", "null",
                                      "-monitor",           "stdio"};
  command.insert(command.end(), args.begin(), args.end());
  KVMSENTRY_ASSIGN_OR_RETURN(Process qemu, Process::Start(command));
  KVMSENTRY_RETURN_IF_ERROR(qemu.Write("info mtree -f\nquit\n"));
  Machine machine;
  std::vector<Region>* regions = nullptr;
  absl::StatusOr<std::string> line = qemu.ReadLine();
  for (; line.ok(); line = qemu.ReadLine()) {
    const std::optional<Region> region = RegionOf(*line);
    if (region) {
      if (regions != nullptr) regions->push_back(*region);
    } else if (absl::StrContains(*line, "Root memory region: ")) {
      const bool ports = absl::StrContains(*line, "region: io");
      const bool memory = absl::StrContains(*line, "region: system");
      regions = ports ? &machine.ports : memory ? &machine.addresses : nullptr;
    }
  }
  if (machine.ports.empty() || machine.addresses.empty()) {
    return absl::NotFoundError(absl::StrCat("no regions: ", qemu.Errors()));
  }
  return machine;
}

bool Lies(const Region& region, bool ports, const Given& given) {
  return std::ranges::any_of(given.windows, [&](const given::Window& window) {
    return window.ports == ports && window.first <= region.first && region.last <= window.last;
  });
}

// What nothing answers at is a region of the whole space's.
bool IsDevice(const Region& region) {
  return region.kind == "i/o" && region.name != "io" && region.name != "system";
}

using MachineTest = ::testing::TestWithParam<const char*>;

TEST_P(MachineTest, AllDevicesLieInWindows) {
  for (const std::string memory : {"128", "2560", "3000", "3584", "5000"}) {
    const std::vector<std::string> args = {"-M", GetParam(), "-m", memory};
    ASSERT_OK_AND_ASSIGN(const Machine machine, AskQemu(args));
    const Given given = GivenByQemu(args);
    ASSERT_TRUE(given.windows_whole);
    size_t devices = 0;
    for (const Region& region : machine.ports) {
      if (!IsDevice(region)) continue;
      ++devices;
      EXPECT_TRUE(Lies(region, /*ports=*/true, given)) << region.name << " " << region.first;
    }
    for (const Region& region : machine.addresses) {
      if (!IsDevice(region)) continue;
      ++devices;
      EXPECT_TRUE(Lies(region, /*ports=*/false, given)) << region.name << " " << region.first;
    }
    EXPECT_GT(devices, 10U);
    // And no window below PCI's is empty, but those that firmware or options fill.
    constexpr absl::string_view kMayBeEmpty[] = {
        "serial ports",   "parallel ports",         "pvpanic", "ACPI", "SMBus",
        "memory hotplug", "floppy controller, IDE", "timer"};
    for (const given::Window& window : given.windows) {
      if (!window.ports || window.last >= 0x1000) continue;
      if (std::ranges::find(kMayBeEmpty, window.device) != std::end(kMayBeEmpty)) continue;
      EXPECT_TRUE(std::ranges::any_of(machine.ports, [&window](const Region& region) {
        return IsDevice(region) && window.first <= region.last && region.first <= window.last;
      })) << window.device;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Qemu, MachineTest, ::testing::Values("pc", "q35", "microvm"));

TEST(DeviceWindowsTest, DevicesBeginWhereTheMemoryBelow4GiBEnds) {
  for (const char* machine : {"pc", "q35"}) {
    for (const std::string memory : {"512", "2560", "3000", "3584", "5000"}) {
      const std::vector<std::string> args = {"-M", machine, "-m", memory};
      ASSERT_OK_AND_ASSIGN(const Machine asked, AskQemu(args));
      uint64_t end = 0;
      for (const Region& region : asked.addresses) {
        if (region.kind == "ram" && region.last < (uint64_t{4} << 30)) {
          end = std::max(end, region.last + 1);
        }
      }
      const Given given = GivenByQemu(args);
      const auto begins = [end](const given::Window& window) {
        return !window.ports && window.first == end;
      };
      EXPECT_TRUE(std::ranges::any_of(given.windows, begins)) << machine << " " << memory;
    }
  }
}

TEST(DeviceWindowsTest, NobodyKnowsTheWindowsOfOtherMachines) {
  for (const char* machine : {"none", "isapc", "xenpv", "pcx"}) {
    const Given given = GivenByQemu(Args{"-M", machine});
    EXPECT_FALSE(given.windows_whole) << machine;
    EXPECT_TRUE(given.windows.empty()) << machine;
  }
  EXPECT_TRUE(GivenByQemu(Args{"-machine", "type=pc-q35-7.2,accel=kvm"}).windows_whole);
  EXPECT_TRUE(GivenByQemu(Args{}).windows_whole);
}

TEST(DeviceWindowsTest, WhereTheMemoryEndsIsNotKnownIfItWasTold) {
  const Given given = GivenByQemu(Args{"-machine", "q35,max-ram-below-4g=1G", "-m", "3000"});
  EXPECT_TRUE(Lies({0x100000, 0xffffffff, "i/o", "hole"}, /*ports=*/false, given));
}

}  // namespace
}  // namespace kvmsentry
