#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/given/key_values.h"
#include "sensor/given/other_vmms.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kMebi = 1 << 20;
constexpr uint64_t kDefaultMemory = 256 * kMebi;

TextFact TextOf(const KeyValues& values, absl::string_view key) {
  const std::string& value = values.Get(key);
  return value.empty() ? TextFact() : TextFact(ShownPath(value), FactOrigin::kArgv);
}

void AddDisk(const KeyValues& values, bool read_only, Given* given) {
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  disk->id = values.Has("id") ? ShownText(values.Get("id"))
                              : absl::StrCat("disk", given->disks.size() - 1);
  disk->path = TextOf(values, "path");
  const std::optional<bool> told = values.GetFlag("ro");
  disk->read_only = {told.value_or(read_only), FactOrigin::kArgv};
  const bool direct =
      values.GetFlag("direct").value_or(false) || values.GetFlag("o_direct").value_or(false);
  disk->cache = {direct ? "none" : "writeback", FactOrigin::kDefault};
  disk->shared = {false, FactOrigin::kDefault};
}

void AddInterface(const KeyValues& values, Given* given) {
  given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
  if (interface == nullptr) return;
  interface->id = absl::StrCat("net", given->interfaces.size() - 1);
  interface->kind = {"tap", FactOrigin::kArgv};
  interface->model = {"virtio-net", FactOrigin::kDefault};
  interface->device = TextOf(values, "tap-name");
  interface->mac = TextOf(values, "mac");
  if (values.Has("host-ip")) {
    interface->addresses = {{absl::StrCat("host ", ShownText(values.Get("host-ip")), "/",
                                          ShownText(values.Get("netmask")))},
                            FactOrigin::kArgv};
  }
  interface->vhost = {values.Has("vhost-net"),
                      values.Has("vhost-net") ? FactOrigin::kArgv : FactOrigin::kDefault};
}

// "PATH:TAG[:KEY=VALUE...]".
void AddFolder(absl::string_view text, Given* given) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() < 2) return;
  given::SharedFolder* folder = AddPart(&given->folders, "shared folders", given);
  if (folder == nullptr) return;
  folder->id = ShownText(parts[1]);
  folder->path = {ShownPath(parts[0]), FactOrigin::kArgv};
  const bool fs = std::ranges::find(parts, "type=fs") != parts.end();
  folder->kind = {fs ? "virtiofs" : "9p", fs ? FactOrigin::kArgv : FactOrigin::kDefault};
  folder->security = {"", FactOrigin::kDefault};
}

void AddDevice(absl::string_view kind, TextFact place, Given* given) {
  given::HostDevice* device = AddPart(&given->devices, "devices", given);
  if (device == nullptr) return;
  device->id = absl::StrCat("device", given->devices.size() - 1);
  device->kind = {ShownText(kind), FactOrigin::kArgv};
  device->place = std::move(place);
}

bool IsDisk(absl::string_view name) {
  for (const char* option : {"--block", "-b", "--root", "-r", "--rwroot", "--disk", "-d",
                             "--rwdisk", "--qcow", "--rwqcow"}) {
    if (name == option) return true;
  }
  return false;
}

void Take(const std::string& name, const std::string& value, Given* given) {
  if (IsDisk(name)) {
    const bool old_form = name != "--block" && name != "-b";
    AddDisk(KeyValues::OfList(value, "path"), old_form && !absl::StrContains(name, "rw"), given);
  } else if (name == "--net") {
    AddInterface(KeyValues::OfList(value), given);
  } else if (name == "--tap-name") {
    AddInterface(KeyValues::OfList(absl::StrCat("tap-name=", value)), given);
  } else if (name == "--shared-dir") {
    AddFolder(value, given);
  } else if (name == "--vfio") {
    AddDevice("vfio-pci", TextOf(KeyValues::OfList(value, "path"), "path"), given);
  } else if (name == "--cid" || name == "--vsock") {
    AddDevice("vsock", TextOf(KeyValues::OfList(value, "cid"), "cid"), given);
  } else if (name == "--vhost-user") {
    const KeyValues user = KeyValues::OfList(value, "type");
    AddDevice(absl::StrCat("vhost-user-", user.Get("type")), TextOf(user, "socket"), given);
  } else if (name == "--cpus" || name == "-c") {
    const auto cpus = KeyValues::OfList(value, "num-cores").GetNumber("num-cores");
    if (cpus) given->cpus.start = given->cpus.max = {*cpus, FactOrigin::kArgv};
  } else if (name == "--mem" || name == "-m") {
    const auto size = KeyValues::OfList(value, "size").GetSize("size", kMebi);
    if (size) given->memory.size = given->memory.max = {*size, FactOrigin::kArgv};
  } else if (name == "--socket" || name == "-s") {
    if (given::Monitor* monitor = AddPart(&given->monitors, "monitors", given)) {
      monitor->kind = {"api", FactOrigin::kArgv};
      monitor->place = {absl::StrCat("unix:", ShownPath(value)), FactOrigin::kArgv};
    }
  } else if (name == "--cfg") {
    given->gaps.push_back(absl::StrCat("what --cfg adds: ", ShownPath(value)));
  }
}

}  // namespace

Given GivenByCrosvm(std::span<const std::string> args) {
  Given given;
  given.privileges.sandbox = {"on", FactOrigin::kDefault};
  for (size_t i = 0; i < args.size(); ++i) {
    // The guest's kernel command line is no option, whatever it holds (argh takes any value).
    if (args[i] == "-p" || args[i] == "--params") {
      ++i;
      continue;
    }
    if (args[i] == "--disable-sandbox") given.privileges.sandbox = {"off", FactOrigin::kArgv};
    for (const LongOption& option : SplitLongOptions(args.subspan(i, 1))) {
      if (option.name.empty()) continue;
      if (!option.values.empty()) {
        Take(option.name, option.values[0], &given);
      } else if (i + 1 < args.size() && !absl::StartsWith(args[i + 1], "-")) {
        Take(option.name, args[i + 1], &given);
      }
    }
  }
  given.cpus.start.Offer({1, FactOrigin::kDefault});
  given.cpus.max.Offer(given.cpus.start);
  given.memory.size.Offer({kDefaultMemory, FactOrigin::kDefault});
  given.memory.max.Offer(given.memory.size);
  given.privileges.hyperv = {std::vector<std::string>(), FactOrigin::kDefault};
  given.privileges.run_as = given.privileges.chroot = {"", FactOrigin::kDefault};
  return given;
}

}  // namespace kvmsentry
