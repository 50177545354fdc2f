// QEMU's command line. What the options mean is from QEMU's own sources (qemu-options.hx, qapi/)
// and from the command lines that libvirt writes. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"
#include "sensor/given/key_values.h"

namespace kvmsentry {

struct QemuOption {
  std::string name;   // without dashes
  std::string value;  // empty where it has none
};

// ARGS without the program. What stands alone is an image: an option "hda", as QEMU has it.
std::vector<QemuOption> SplitQemuOptions(std::span<const std::string> args);

Given GivenByQemu(std::span<const std::string> args);

// ---- Parts of it, a file each
// --------------------------------------------------------------------

// A device, from -device, and with what else it belongs together.
struct QemuDevice {
  std::string driver, id;
  KeyValues values;
};

struct QemuLine {
  std::vector<QemuOption> options;
  std::vector<QemuDevice> devices;
  // Character devices by id, as "unix:/path", "fd:3", "tcp:host:port", "stdio".
  std::vector<std::pair<std::string, std::string>> chardevs;

  std::string ChardevPlace(absl::string_view id) const;  // "" where there is none
  // Of "unix:/run/m.sock,server=on" and the like, as -qmp, -monitor and -serial take them; "" of
  // what is no place, as "none".
  std::string PlaceOf(absl::string_view text) const;
  const QemuDevice* DeviceWith(absl::string_view key, absl::string_view value) const;
};

void AddQemuDisks(const QemuLine& line, Given* given);
void AddQemuNetwork(const QemuLine& line, Given* given);
void AddQemuMachine(const QemuLine& line, Given* given);   // machine, memory, vCPUs, windows
void AddQemuRights(const QemuLine& line, Given* given);    // privileges, migration
void AddQemuChannels(const QemuLine& line, Given* given);  // monitors, shared folders, host devices

}  // namespace kvmsentry
