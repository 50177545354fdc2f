#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/key_values.h"
#include "sensor/given/other_vmms.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kDefaultMemory = 512ULL << 20;

TextFact TextOf(const KeyValues& values, absl::string_view key) {
  const std::string& value = values.Get(key);
  return value.empty() ? TextFact() : TextFact(ShownPath(value), FactOrigin::kArgv);
}

FlagFact FlagOf(const KeyValues& values, absl::string_view key, bool otherwise) {
  const std::optional<bool> flag = values.GetFlag(key);
  return flag ? FlagFact(*flag, FactOrigin::kArgv) : FlagFact(otherwise, FactOrigin::kDefault);
}

std::string IdOf(const KeyValues& values, absl::string_view kind, size_t number) {
  return values.Has("id") ? ShownText(values.Get("id")) : absl::StrCat(kind, number);
}

void AddDisk(const KeyValues& values, Given* given) {
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  disk->id = IdOf(values, "disk", given->disks.size() - 1);
  disk->path = TextOf(values, values.Has("path") ? "path" : "socket");
  disk->read_only = FlagOf(values, "readonly", false);
  const bool direct = values.GetFlag("direct").value_or(false);
  disk->cache = {direct ? "none" : "writeback",
                 values.Has("direct") ? FactOrigin::kArgv : FactOrigin::kDefault};
  disk->shared = {false, FactOrigin::kDefault};
  disk->format = TextOf(values, "image_type");  // else it probes
  if (disk->format.known()) absl::AsciiStrToLower(&*disk->format.value);
  // Images are refused that name another, unless told (vmm/src/device_manager.rs).
  if (!values.GetFlag("backing_files").value_or(false)) {
    disk->backing = {std::vector<std::string>(), FactOrigin::kDefault};
  }
}

void AddInterface(const KeyValues& values, Given* given) {
  given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
  if (interface == nullptr) return;
  interface->id = IdOf(values, "net", given->interfaces.size() - 1);
  const bool user = values.GetFlag("vhost_user").value_or(false);
  interface->kind = {user ? "vhost-user" : "tap", FactOrigin::kArgv};
  interface->device = TextOf(values, "tap");
  interface->model = {"virtio-net", FactOrigin::kDefault};
  interface->mac = TextOf(values, "mac");
  interface->vhost = {false, FactOrigin::kDefault};
  if (user) interface->socket = TextOf(values, values.Has("socket") ? "socket" : "vhost_socket");
  if (values.Has("ip")) {
    interface->addresses = {
        {absl::StrCat("host ", ShownText(values.Get("ip")), "/", ShownText(values.Get("mask")))},
        FactOrigin::kArgv};
  }
}

void AddFolder(const KeyValues& values, Given* given) {
  given::SharedFolder* folder = AddPart(&given->folders, "shared folders", given);
  if (folder == nullptr) return;
  folder->id = ShownText(values.Get("tag"));
  folder->kind = {"virtiofs", FactOrigin::kArgv};
  folder->socket = TextOf(values, "socket");
  if (folder->socket.known()) folder->socket.value->insert(0, "unix:");
  folder->security = {"", FactOrigin::kDefault};
}

void AddDevice(const char* kind, const KeyValues& values, absl::string_view key, Given* given) {
  given::HostDevice* device = AddPart(&given->devices, "devices", given);
  if (device == nullptr) return;
  device->id = IdOf(values, kind, given->devices.size() - 1);
  device->kind = {kind, FactOrigin::kArgv};
  device->place = TextOf(values, key);
}

void AddSizes(const KeyValues& values, given::Memory* memory) {
  const uint64_t size = values.GetSize("size").value_or(0);
  memory->size = {memory->size.value.value_or(0) + size, FactOrigin::kArgv};
  memory->max = {memory->max.value.value_or(0) + size + values.GetSize("hotplug_size").value_or(0),
                 FactOrigin::kArgv};
}

void AddBacking(const KeyValues& values, const char* id, Given* given) {
  given::MemoryBacking* backing = AddPart(&given->memory.backing, "memory back ends", given);
  if (backing == nullptr) return;
  backing->id = values.Has("id") ? ShownText(values.Get("id")) : id;
  backing->path = TextOf(values, "file");
  backing->shared = FlagOf(values, "shared", false);
  const bool huge = values.GetFlag("hugepages").value_or(false);
  backing->kind = {backing->path.known()            ? "file"
                   : *backing->shared.value || huge ? "memfd"
                                                    : "ram",
                   FactOrigin::kArgv};
  if (const auto size = values.GetSize("size")) backing->size = {*size, FactOrigin::kArgv};
}

void SetCpus(const KeyValues& values, Given* given) {
  const std::optional<uint64_t> boot = values.GetNumber("boot");
  const std::optional<uint64_t> max = values.GetNumber("max");
  if (boot) given->cpus.start = {*boot, FactOrigin::kArgv};
  if (max) given->cpus.max = {*max, FactOrigin::kArgv};
  if (const auto nested = values.GetFlag("nested")) {
    given->privileges.nesting = {*nested, FactOrigin::kArgv};
  }
  if (values.GetFlag("kvm_hyperv").value_or(false)) {
    given->privileges.hyperv = {{"kvm_hyperv"}, FactOrigin::kArgv};
  }
}

void AddMonitor(absl::string_view value, Given* given) {
  given::Monitor* monitor = AddPart(&given->monitors, "monitors", given);
  if (monitor == nullptr) return;
  absl::ConsumePrefix(&value, "path=");
  std::string place = ShownPath(value);
  if (absl::ConsumePrefix(&value, "fd=")) {
    place = absl::StrCat("fd:", ShownText(value));
  } else {
    place.insert(0, "unix:");
  }
  monitor->kind = {"api", FactOrigin::kArgv};
  monitor->place = {std::move(place), FactOrigin::kArgv};
}

void Take(const LongOption& option, const std::string& value, Given* given) {
  const KeyValues values = KeyValues::OfList(value);
  const std::string& name = option.name;
  if (name == "--disk") AddDisk(values, given);
  if (name == "--net") AddInterface(values, given);
  if (name == "--fs") AddFolder(values, given);
  if (name == "--device") AddDevice("vfio-pci", values, "path", given);
  if (name == "--user-device") AddDevice("vfio-user", values, "socket", given);
  if (name == "--vdpa") AddDevice("vhost-vdpa", values, "path", given);
  if (name == "--pmem") AddDevice("pmem", values, "file", given);
  if (name == "--vsock") AddDevice("vsock", values, "cid", given);
  if (name == "--memory" || name == "--memory-zone") {
    AddSizes(values, &given->memory);
    if (values.GetSize("size").value_or(0) != 0) AddBacking(values, "memory", given);
  }
  if (name == "--cpus") SetCpus(values, given);
  if (name == "--api-socket") AddMonitor(value, given);
  if (name == "--seccomp") {
    given->privileges.sandbox = {absl::StrCat("seccomp ", ShownText(value)), FactOrigin::kArgv};
  }
}

}  // namespace

Given GivenByCloudHypervisor(std::span<const std::string> args) {
  Given given;
  bool payload = false, landlock = false;
  for (const LongOption& option : SplitLongOptions(args)) {
    landlock |= option.name == "--landlock";
    payload |= option.name == "--kernel" || option.name == "--firmware";
    for (const std::string& value : option.values) Take(option, value, &given);
  }
  given::Privileges& privileges = given.privileges;
  privileges.sandbox.Offer({"seccomp true", FactOrigin::kDefault});
  if (landlock) privileges.sandbox.value->append(",landlock");
  privileges.run_as = privileges.chroot = {"", FactOrigin::kDefault};
  if (!payload) {
    given.gaps.emplace_back("what was configured through the API socket");
    return given;
  }
  privileges.hyperv.Offer({std::vector<std::string>(), FactOrigin::kDefault});
  given.cpus.start.Offer({1, FactOrigin::kDefault});
  given.cpus.max.Offer(given.cpus.start);
  given.memory.size.Offer({kDefaultMemory, FactOrigin::kDefault});
  given.memory.max.Offer(given.memory.size);
  return given;
}

}  // namespace kvmsentry
