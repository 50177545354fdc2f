#include "sensor/given/qemu.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxOptions = 4096;

// Options without a value (qemu-options.hx, DEF(..., 0, ...)), of QEMU 2.0 to 10. Every other takes
// one: were one taken for an option without, its value could pass for an option.
constexpr absl::string_view kBare =
    " alt-grab async-teardown audio-help ctrl-grab curses daemonize enable-fips enable-hax "
    "enable-kvm enable-sync-profile full-screen h hax help jitdump localtime mem-prealloc "
    "no-acpi no-fd-bootchk no-frame no-hax no-hpet no-kvm no-kvm-irqchip no-kvm-pit "
    "no-kvm-pit-reinjection no-quit no-reboot no-shutdown no-user-config nodefaults "
    "nodefconfig nographic old-param one-insn-per-tb only-migratable perfmap portrait "
    "preconfig rtc-td-hack S sdl semihosting show-cursor singlestep snapshot tdf usb "
    "version win2k-hack xen-attach xen-create xen-domid-restrict ";

bool IsBare(absl::string_view option) {
  return !absl::StrContains(option, ' ') &&
         absl::StrContains(kBare, absl::StrCat(" ", option, " "));
}

QemuDevice DeviceOf(absl::string_view text) {
  QemuDevice device;
  device.values = KeyValues::OfEither(text, "driver");
  device.driver = device.values.Get("driver");
  device.id = device.values.Get("id");
  return device;
}

std::string PlaceOfChardev(const KeyValues& chardev) {
  const std::string& backend = chardev.Get("backend");
  if (backend == "socket" || backend == "udp") {
    if (chardev.Has("fd")) return absl::StrCat("fd:", chardev.Get("fd"));
    if (chardev.Has("path")) return absl::StrCat("unix:", chardev.Get("path"));
    return absl::StrCat(backend == "udp" ? "udp:" : "tcp:", chardev.Get("host"), ":",
                        chardev.Get("port"));
  }
  if (chardev.Has("path")) return absl::StrCat(backend, ":", chardev.Get("path"));
  return backend;
}

}  // namespace

std::vector<QemuOption> SplitQemuOptions(std::span<const std::string> args) {
  std::vector<QemuOption> options;
  for (size_t i = 0; i < args.size() && options.size() < kMaxOptions; ++i) {
    absl::string_view word = args[i];
    // A dash alone is an image too (system/vl.c).
    if (!absl::StartsWith(word, "-") || word.size() == 1) {
      options.push_back({"hda", args[i]});
      continue;
    }
    absl::ConsumePrefix(&word, "-");
    absl::ConsumePrefix(&word, "-");
    QemuOption option{std::string(word), ""};
    if (!IsBare(word) && i + 1 < args.size()) option.value = args[++i];
    options.push_back(std::move(option));
  }
  return options;
}

std::string QemuLine::ChardevPlace(absl::string_view id) const {
  for (const auto& [name, place] : chardevs) {
    if (name == id) return place;
  }
  return "";
}

std::string QemuLine::PlaceOf(absl::string_view text) const {
  text = text.substr(0, text.find(','));
  if (text == "none" || text == "null") return "";
  if (absl::ConsumePrefix(&text, "chardev:")) return ChardevPlace(text);
  return std::string(text);
}

const QemuDevice* QemuLine::DeviceWith(absl::string_view key, absl::string_view value) const {
  if (value.empty()) return nullptr;
  for (const QemuDevice& device : devices) {
    if (device.values.Get(key) == value) return &device;
  }
  return nullptr;
}

Given GivenByQemu(std::span<const std::string> args) {
  QemuLine line;
  line.options = SplitQemuOptions(args);
  for (const QemuOption& option : line.options) {
    if (option.name == "device") {
      line.devices.push_back(DeviceOf(option.value));
    } else if (option.name == "chardev") {
      const KeyValues chardev = KeyValues::OfEither(option.value, "backend");
      line.chardevs.emplace_back(chardev.Get("id"), PlaceOfChardev(chardev));
    }
  }
  Given given;
  if (line.options.size() >= kMaxOptions) given.gaps.emplace_back("options beyond the 4096th");
  for (const QemuOption& option : line.options) {
    if (option.name == "readconfig") {
      given.gaps.push_back(absl::StrCat("what -readconfig adds: ", ShownText(option.value)));
    }
  }
  AddQemuMachine(line, &given);
  AddQemuDisks(line, &given);
  AddQemuNetwork(line, &given);
  AddQemuChannels(line, &given);
  AddQemuRights(line, &given);
  // What was not read may be another machine, or devices.
  if (!given.gaps.empty()) given.windows_whole = false;
  return given;
}

}  // namespace kvmsentry
