#include "sensor/given/libvirt.h"

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "pugixml.hpp"
#include "sensor/given/key_values.h"
#include "sensor/given/shown_text.h"
#include "sensor/inventory/naming.h"

namespace kvmsentry {
namespace {

using pugi::xml_node;

constexpr size_t kMaxChain = 32;

TextFact TextOf(const pugi::xml_attribute& attribute) {
  return attribute.empty() ? TextFact()
                           : TextFact(ShownPath(attribute.value()), FactOrigin::kLibvirt);
}

// A <source> of a disk: a file, a block device, a volume or something on the network.
TextFact SourceOf(const xml_node& source) {
  for (const char* key : {"file", "dev", "dir"}) {
    if (!source.attribute(key).empty()) return TextOf(source.attribute(key));
  }
  if (!source.attribute("protocol").empty()) {
    const xml_node host = source.child("host");
    return {ShownPath(absl::StrCat(
                source.attribute("protocol").value(), "://", host.attribute("name").value(),
                host.attribute("port").empty() ? "" : ":", host.attribute("port").value(), "/",
                source.attribute("name").value())),
            FactOrigin::kLibvirt};
  }
  if (!source.attribute("volume").empty()) {
    return {ShownPath(absl::StrCat("volume:", source.attribute("pool").value(), "/",
                                   source.attribute("volume").value())),
            FactOrigin::kLibvirt};
  }
  return {};
}

// <backingStore> holds the next one; an empty one ends the chain, and where there is none the chain
// is not known.
TextsFact BackingOf(const xml_node& disk) {
  std::vector<std::string> chain;
  xml_node store = disk.child("backingStore");
  if (store.empty()) return {};
  for (size_t depth = 0; depth < kMaxChain; ++depth) {
    const TextFact source = SourceOf(store.child("source"));
    if (!source.known()) break;
    chain.push_back(*source.value);
    store = store.child("backingStore");
  }
  return {std::move(chain), FactOrigin::kLibvirt};
}

std::string AliasOf(const xml_node& device, const char* otherwise) {
  const char* alias = device.child("alias").attribute("name").value();
  return ShownText(*alias != '\0' ? alias : otherwise);
}

FlagFact Has(const xml_node& node, const char* child) {
  return {!node.child(child).empty(), FactOrigin::kLibvirt};
}

void AddDisk(const xml_node& node, Given* given) {
  const TextFact path = SourceOf(node.child("source"));
  if (!path.known()) return;  // an empty tray
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  disk->id = AliasOf(node, node.child("target").attribute("dev").value());
  disk->path = path;
  disk->format = TextOf(node.child("driver").attribute("type"));
  disk->cache = TextOf(node.child("driver").attribute("cache"));
  disk->backing = BackingOf(node);
  disk->read_only = Has(node, "readonly");
  disk->shared = Has(node, "shareable");
}

void AddInterface(const xml_node& node, Given* given) {
  given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
  if (interface == nullptr) return;
  interface->id = AliasOf(node, node.child("target").attribute("dev").value());
  const xml_node actual = node.child("actual");
  const std::string type = node.attribute("type").value();
  // A helper carries it then, and not the VMM.
  const absl::string_view backend = node.child("backend").attribute("type").value();
  // A network or a bridge is reached by a tap, "direct" by a macvtap.
  interface->kind = {type == "network" || type == "bridge" || type == "ethernet" ? "tap"
                     : type == "direct"                                          ? "macvtap"
                     : type == "vhostuser"                                       ? "vhost-user"
                     : backend == "passt"                                        ? "passt"
                                                                                 : ShownText(type),
                     FactOrigin::kLibvirt};
  interface->device = TextOf(node.child("target").attribute("dev"));
  interface->bridge = TextOf(node.child("source").attribute("bridge"));
  interface->bridge.Offer(TextOf(actual.child("source").attribute("bridge")));
  interface->model = TextOf(node.child("model").attribute("type"));
  interface->mac = TextOf(node.child("mac").attribute("address"));
  if (!node.child("source").attribute("path").empty()) {
    interface->socket = {
        absl::StrCat("unix:", ShownPath(node.child("source").attribute("path").value())),
        FactOrigin::kLibvirt};
  }
  std::vector<std::string> addresses;
  for (const xml_node& ip : node.children("ip")) {
    if (addresses.size() == kMaxGivenParts) break;
    addresses.push_back(absl::StrCat("guest ", ShownText(ip.attribute("address").value())));
  }
  if (!addresses.empty()) interface->addresses = {std::move(addresses), FactOrigin::kLibvirt};
}

void AddFolder(const xml_node& node, Given* given) {
  given::SharedFolder* folder = AddPart(&given->folders, "shared folders", given);
  if (folder == nullptr) return;
  folder->id = ShownText(node.child("target").attribute("dir").value());
  const bool virtiofs = strcmp(node.child("driver").attribute("type").value(), "virtiofs") == 0;
  folder->kind = {virtiofs ? "virtiofs" : "9p", FactOrigin::kLibvirt};
  folder->path = TextOf(node.child("source").attribute("dir"));
  folder->read_only = Has(node, "readonly");
  folder->security = TextOf(node.attribute("accessmode"));
  if (!node.child("source").attribute("socket").empty()) {
    folder->socket = {
        absl::StrCat("unix:", ShownPath(node.child("source").attribute("socket").value())),
        FactOrigin::kLibvirt};
  }
}

void AddHostDevice(const xml_node& node, Given* given) {
  given::HostDevice* device = AddPart(&given->devices, "devices", given);
  if (device == nullptr) return;
  const std::string type = node.attribute("type").value();
  device->id = AliasOf(node, "");
  device->kind = {type == "pci"    ? "vfio-pci"
                  : type == "mdev" ? "vfio-mdev"
                  : type == "usb"  ? "usb-host"
                                   : ShownText(type),
                  FactOrigin::kLibvirt};
  const xml_node at = node.child("source").child("address");
  if (type == "pci") {
    const auto part = [&](const char* name) {
      return ParseNumber(at.attribute(name).value()).value_or(0);
    };
    device->place = {
        absl::StrCat(absl::Hex(part("domain"), absl::kZeroPad4), ":",
                     absl::Hex(part("bus"), absl::kZeroPad2), ":",
                     absl::Hex(part("slot"), absl::kZeroPad2), ".", absl::Hex(part("function"))),
        FactOrigin::kLibvirt};
  } else {
    device->place = TextOf(at.attribute("uuid"));
  }
}

std::optional<uint64_t> BytesOf(const xml_node& node) {
  if (node.empty()) return std::nullopt;
  std::string unit = node.attribute("unit").value();
  if (unit.empty()) unit = "KiB";
  if (unit == "bytes") unit = "b";
  return ParseSize(absl::StrCat(node.child_value(), unit));
}

void SetMemory(const xml_node& domain, given::Memory* memory) {
  if (const auto size = BytesOf(domain.child("memory"))) {
    memory->size = memory->max = {*size, FactOrigin::kLibvirt};
  }
  if (const auto max = BytesOf(domain.child("maxMemory")))
    memory->max = {*max, FactOrigin::kLibvirt};
}

void SetCpus(const xml_node& domain, given::Cpus* cpus) {
  const xml_node vcpu = domain.child("vcpu");
  const std::optional<uint64_t> max = ParseNumber(vcpu.child_value());
  if (!max) return;
  cpus->max = {*max, FactOrigin::kLibvirt};
  cpus->start = {ParseNumber(vcpu.attribute("current").value()).value_or(*max),
                 FactOrigin::kLibvirt};
}

}  // namespace

absl::StatusOr<LibvirtDomain> ParseLibvirtDomain(absl::string_view xml) {
  pugi::xml_document document;
  // No DOCTYPE is interpreted, so entities are the five of XML itself.
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) return absl::DataLossError(absl::StrCat("no XML: ", parsed.description()));
  LibvirtDomain out;
  const xml_node status = document.child("domstatus");
  const xml_node domain = status.empty() ? document.child("domain") : status.child("domain");
  if (domain.empty()) return absl::DataLossError("no <domain> in it");
  out.pid = status.attribute("pid").as_int();
  out.name = domain.child_value("name");
  out.uuid = CanonicalUuid(domain.child_value("uuid"));
  Given& given = out.given;
  given.manager.kind = {"libvirt", FactOrigin::kLibvirt};
  given.manager.domain = {ShownText(out.name), FactOrigin::kLibvirt};
  given.machine = TextOf(domain.child("os").child("type").attribute("machine"));
  SetMemory(domain, &given.memory);
  SetCpus(domain, &given.cpus);
  for (const xml_node& device : domain.child("devices").children()) {
    const absl::string_view kind = device.name();
    if (kind == "disk") AddDisk(device, &given);
    if (kind == "interface") AddInterface(device, &given);
    if (kind == "filesystem") AddFolder(device, &given);
    if (kind == "hostdev") AddHostDevice(device, &given);
  }
  return out;
}

}  // namespace kvmsentry
