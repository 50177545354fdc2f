#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/device_windows.h"
#include "sensor/given/key_values.h"
#include "sensor/given/other_vmms.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr char kDefaultSocket[] = "/run/firecracker.socket";
constexpr uint64_t kMebi = 1 << 20;

TextFact TextOf(const KeyValues& values, absl::string_view key) {
  const std::string& value = values.Get(key);
  return value.empty() ? TextFact() : TextFact(ShownPath(value), FactOrigin::kConfigFile);
}

// Calls TAKE with the prefix of each element of the array ARRAY: "drives.0.".
template <typename Visit>
void ForEach(const KeyValues& values, absl::string_view array, const Visit& take) {
  std::string last;
  for (const auto& [key, value] : values.items()) {
    absl::string_view rest = key;
    if (!absl::ConsumePrefix(&rest, array) || !absl::ConsumePrefix(&rest, ".")) continue;
    std::string prefix = absl::StrCat(array, ".", rest.substr(0, rest.find('.')), ".");
    if (prefix == last) continue;
    take(prefix);
    last = std::move(prefix);
  }
}

void AddDrive(const KeyValues& values, const std::string& at, Given* given) {
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  disk->id = ShownText(values.Get(at + "drive_id"));
  disk->path = TextOf(values, at + (values.Has(at + "path_on_host") ? "path_on_host" : "socket"));
  disk->format = {"raw", FactOrigin::kDefault};  // there is no other
  disk->backing = {std::vector<std::string>(), FactOrigin::kDefault};
  const auto read_only = values.GetFlag(at + "is_read_only");
  disk->read_only = read_only ? FlagFact(*read_only, FactOrigin::kConfigFile)
                              : FlagFact(false, FactOrigin::kDefault);
  disk->cache = TextOf(values, at + "cache_type");
  disk->cache.Offer({"Unsafe", FactOrigin::kDefault});
  disk->shared = {false, FactOrigin::kDefault};
}

void AddInterface(const KeyValues& values, const std::string& at, Given* given) {
  given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
  if (interface == nullptr) return;
  interface->id = ShownText(values.Get(at + "iface_id"));
  interface->kind = {"tap", FactOrigin::kDefault};
  interface->device = TextOf(values, at + "host_dev_name");
  interface->mac = TextOf(values, at + "guest_mac");
  interface->model = {"virtio-net", FactOrigin::kDefault};
  interface->vhost = {false, FactOrigin::kDefault};
}

}  // namespace

std::string FirecrackerConfigFile(std::span<const std::string> args) {
  std::string file;
  for (const LongOption& option : SplitLongOptions(args)) {
    if (option.name == "--config-file" && !option.values.empty()) file = option.values[0];
  }
  return file;
}

Given GivenByFirecracker(std::span<const std::string> args) {
  Given given;
  std::string socket;
  bool api = true;
  TextFact sandbox{"seccomp", FactOrigin::kDefault};
  for (const LongOption& option : SplitLongOptions(args)) {
    if (option.name == "--api-sock" && !option.values.empty()) socket = option.values[0];
    if (option.name == "--no-api") api = false;
    if (option.name == "--no-seccomp") sandbox = {"off", FactOrigin::kArgv};
    if (option.name == "--seccomp-filter") sandbox = {"seccomp, own filter", FactOrigin::kArgv};
  }
  if (api) {
    given::Monitor* monitor = AddPart(&given.monitors, "monitors", &given);
    monitor->kind = {"api", FactOrigin::kArgv};
    const bool told = !socket.empty();
    monitor->place = {absl::StrCat("unix:", ShownPath(told ? socket : kDefaultSocket)),
                      told ? FactOrigin::kArgv : FactOrigin::kDefault};
    given.gaps.emplace_back("what was configured through the API socket");
  }
  given.privileges.sandbox = std::move(sandbox);
  AddFirecrackerWindows(&given);
  given.privileges.hyperv = {std::vector<std::string>(), FactOrigin::kDefault};
  given.privileges.run_as = given.privileges.chroot = {"", FactOrigin::kDefault};
  return given;
}

void AddFirecrackerConfig(absl::string_view content, Given* given) {
  const std::optional<KeyValues> config = KeyValues::OfJson(content);
  if (!config) {
    given->gaps.emplace_back("the configuration file: it is no JSON object");
    return;
  }
  ForEach(*config, "drives", [&](const std::string& at) { AddDrive(*config, at, given); });
  ForEach(*config, "network-interfaces",
          [&](const std::string& at) { AddInterface(*config, at, given); });
  if (const auto vcpus = config->GetNumber("machine-config.vcpu_count")) {
    given->cpus.start = given->cpus.max = {*vcpus, FactOrigin::kConfigFile};
  }
  const auto memory = config->GetSize("machine-config.mem_size_mib", kMebi);
  if (memory) given->memory.size = given->memory.max = {*memory, FactOrigin::kConfigFile};
  if (config->Has("vsock.uds_path")) {
    if (given::HostDevice* device = AddPart(&given->devices, "devices", given)) {
      device->id = "vsock";
      device->kind = {"vsock", FactOrigin::kConfigFile};
      device->place = TextOf(*config, "vsock.uds_path");
    }
  }
}

}  // namespace kvmsentry
