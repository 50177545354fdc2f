// Disks on QEMU's command line: -drive and its short forms, and the graph that -blockdev makes,
// from format nodes to the nodes of files below them and to the images that back them.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/qemu.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxChain = 32;

// A block node: one of -blockdev or -drive, or what is written within one. Its keys begin with
// PREFIX.
struct Node {
  const KeyValues* values = nullptr;
  std::string prefix;

  const std::string& Get(absl::string_view key) const {
    return values->Get(absl::StrCat(prefix, key));
  }
  bool Has(absl::string_view key) const { return values->Has(absl::StrCat(prefix, key)); }
  bool HasBelow(absl::string_view key) const {
    const std::string below = absl::StrCat(prefix, key, ".");
    return std::ranges::any_of(values->items(), [&](const KeyValues::Item& item) {
      return absl::StartsWith(item.first, below);
    });
  }
};

// An address of IPv6 as URLs have it.
std::string Bracketed(const std::string& host) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
}

// What a node of a protocol reads; empty for one that only has other nodes below it.
std::string PlaceOf(const Node& node) {
  const std::string& driver = node.Get("driver");
  if (node.Has("filename")) return node.Get("filename");
  if (node.Has("url")) return node.Get("url");
  if (driver == "nbd") {
    const std::string server =
        node.Has("server.path")
            ? absl::StrCat("unix:", node.Get("server.path"))
            : absl::StrCat(Bracketed(node.Get("server.host")), ":", node.Get("server.port"));
    return absl::StrCat("nbd:", server, ":", node.Get("export"));
  }
  if (driver == "rbd") return absl::StrCat("rbd:", node.Get("pool"), "/", node.Get("image"));
  if (driver == "iscsi") {
    return absl::StrCat("iscsi://", node.Get("portal"), "/", node.Get("target"), "/",
                        node.Get("lun"));
  }
  if (driver == "nvme") return absl::StrCat("nvme://", node.Get("device"));
  if (driver == "ssh" || driver == "nfs" || driver == "gluster") {
    const std::string server = node.Has("server.0.host") ? "server.0." : "server.";
    const std::string& port = node.Get(server + "port");
    return absl::StrCat(driver, "://", Bracketed(node.Get(server + "host")),
                        port.empty() ? "" : ":", port, "/", node.Get("volume"), node.Get("path"));
  }
  return "";
}

bool IsProtocol(absl::string_view driver) {
  for (const char* protocol : {"file", "host_device", "host_cdrom", "nbd", "rbd", "iscsi", "http",
                               "https", "ftp", "ftps", "nvme", "ssh", "nfs", "gluster"}) {
    if (driver == protocol) return true;
  }
  return false;
}

// Formats whose images may name another in their header, which is not read here.
bool MayNameBacking(absl::string_view format) {
  return format == "qcow2" || format == "qcow" || format == "qed" || format == "vmdk";
}

class Graph {
 public:
  explicit Graph(const QemuLine& line) {
    for (const QemuOption& option : line.options) {
      if (option.name == "blockdev") {
        AddNode(KeyValues::OfEither(option.value, "driver"));
      } else if (option.name == "add-fd") {
        const KeyValues fd = KeyValues::OfQemu(option.value, "fd");
        descriptors_[fd.Get("set")] = fd.Get("fd");
      }
    }
  }

  std::optional<Node> Find(absl::string_view name) const {
    const auto found = nodes_.find(std::string(name));
    return found == nodes_.end() ? std::nullopt : std::optional(Node{&found->second, ""});
  }
  // Those that no other node uses.
  std::vector<std::string> Roots() const {
    std::set<std::string> used;
    for (const auto& [name, values] : nodes_) {
      for (const auto& [key, value] : values.items()) {
        if (key != "node-name" && key != "driver") used.insert(value);
      }
    }
    std::vector<std::string> roots;
    for (const auto& [name, values] : nodes_) {
      if (!used.contains(name)) roots.push_back(name);
    }
    return roots;
  }

  // The node below NODE under KEY: "file", "backing".
  std::optional<Node> Below(const Node& node, absl::string_view key) const {
    if (node.HasBelow(key)) return Node{node.values, absl::StrCat(node.prefix, key, ".")};
    return Find(node.Get(key));
  }

  std::string PathOf(Node node) const {
    for (size_t depth = 0; depth < kMaxChain; ++depth) {
      if (std::string place = PlaceOf(node); !place.empty()) return Resolve(place);
      const std::optional<Node> below = Below(node, "file");
      if (!below) return "";
      node = *below;
    }
    return "";
  }

  // QEMU's /dev/fdset/N is a descriptor that it was handed.
  std::string Resolve(const std::string& path) const {
    absl::string_view set = path;
    if (!absl::ConsumePrefix(&set, "/dev/fdset/")) return path;
    const auto fd = descriptors_.find(std::string(set));
    return fd == descriptors_.end() ? path : absl::StrCat("fd:", fd->second);
  }

 private:
  void AddNode(KeyValues values) {
    const std::string name = values.Get("node-name");
    if (!name.empty()) nodes_.insert_or_assign(name, std::move(values));
  }

  std::map<std::string, KeyValues> nodes_;
  std::map<std::string, std::string> descriptors_;  // by set
};

std::string FormatOf(const Node& node) {
  const std::string& driver = node.Get("driver");
  return IsProtocol(driver) ? "raw" : driver;
}

// The images that back NODE, as far as the command line says.
TextsFact BackingOf(const Graph& graph, Node node, std::string format, const std::string& id,
                    Given* given) {
  std::vector<std::string> chain;
  for (size_t depth = 0; depth < kMaxChain; ++depth) {
    const std::optional<Node> below = graph.Below(node, "backing");
    if (!below) break;
    chain.push_back(ShownPath(graph.PathOf(*below)));
    node = *below;
    format = FormatOf(node);
  }
  const bool ends = node.Has("backing") || !MayNameBacking(format);
  if (ends) return {chain, FactOrigin::kArgv};
  if (chain.empty()) return {};
  given->gaps.push_back(absl::StrCat("what backs the last image of disk ", id));
  return {chain, FactOrigin::kArgv};
}

TextFact CacheOf(const Node& node, const QemuDevice* device) {
  const bool direct = ParseFlag(node.Get("cache.direct")).value_or(false);
  const bool unsafe = ParseFlag(node.Get("cache.no-flush")).value_or(false);
  const bool through = device != nullptr && !device->values.GetFlag("write-cache").value_or(true);
  const bool said = node.Has("cache.direct") || node.Has("cache.no-flush") || through;
  const char* mode = unsafe              ? "unsafe"
                     : direct && through ? "directsync"
                     : direct            ? "none"
                     : through           ? "writethrough"
                                         : "writeback";
  return {mode, said ? FactOrigin::kArgv : FactOrigin::kDefault};
}

FlagFact SharedOf(const QemuDevice* device) {
  const auto shared = device == nullptr ? std::nullopt : device->values.GetFlag("share-rw");
  return shared ? FlagFact(*shared, FactOrigin::kArgv) : FlagFact(false, FactOrigin::kDefault);
}

bool IsCdrom(const QemuDevice* device) {
  return device != nullptr && (device->driver == "ide-cd" || device->driver == "scsi-cd");
}

std::string IdOf(const QemuDevice* device, absl::string_view otherwise) {
  return ShownText(device != nullptr && !device->id.empty() ? absl::string_view(device->id)
                                                            : otherwise);
}

void AddNodeDisk(const Graph& graph, const std::string& name, const QemuLine& line, Given* given) {
  const std::optional<Node> node = graph.Find(name);
  if (!node) return;
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  const QemuDevice* device = line.DeviceWith("drive", name);
  disk->id = IdOf(device, name);
  if (const std::string path = graph.PathOf(*node); !path.empty()) {
    disk->path = {ShownPath(path), FactOrigin::kArgv};
  }
  disk->format = {ShownText(FormatOf(*node)), FactOrigin::kArgv};
  disk->backing = BackingOf(graph, *node, FormatOf(*node), disk->id, given);
  disk->cache = CacheOf(*node, device);
  const std::optional<bool> read_only = ParseFlag(node->Get("read-only"));
  disk->read_only = read_only         ? FlagFact(*read_only, FactOrigin::kArgv)
                    : IsCdrom(device) ? FlagFact(true, FactOrigin::kDefault)
                                      : FlagFact(false, FactOrigin::kDefault);
  disk->shared = SharedOf(device);
}

// -drive. FILE is what it names, if not by file=.
void AddDrive(const Graph& graph, const KeyValues& drive, const std::string& otherwise,
              const QemuLine& line, Given* given) {
  const Node node{&drive, ""};
  std::string path = drive.Get("file");
  if (path.empty()) path = graph.PathOf(node);
  std::optional<KeyValues> json;
  if (absl::StartsWith(path, "json:")) json = KeyValues::OfJson(path.substr(5));
  if (json) path = graph.PathOf({&*json, ""});
  if (path.empty() && !drive.Has("id")) return;  // an empty tray
  given::Disk* disk = AddPart(&given->disks, "disks", given);
  if (disk == nullptr) return;
  const QemuDevice* device = line.DeviceWith("drive", drive.Get("id"));
  disk->id = IdOf(device, drive.Has("id") ? drive.Get("id") : otherwise);
  if (!path.empty()) disk->path = {ShownPath(graph.Resolve(path)), FactOrigin::kArgv};
  const std::string format = json                  ? FormatOf({&*json, ""})
                             : drive.Has("format") ? drive.Get("format")
                                                   : drive.Get("driver");
  if (!format.empty()) {
    disk->format = {ShownText(format), FactOrigin::kArgv};
    disk->backing = BackingOf(graph, json ? Node{&*json, ""} : node, format, disk->id, given);
  }
  disk->cache = drive.Has("cache") ? TextFact(ShownText(drive.Get("cache")), FactOrigin::kArgv)
                                   : CacheOf(node, device);
  const bool cdrom = drive.Get("media") == "cdrom" || IsCdrom(device);
  std::optional<bool> read_only = drive.GetFlag("readonly");
  if (!read_only) read_only = drive.GetFlag("read-only");
  disk->read_only = read_only ? FlagFact(*read_only, FactOrigin::kArgv)
                    : cdrom   ? FlagFact(true, FactOrigin::kDefault)
                              : FlagFact(false, FactOrigin::kDefault);
  disk->shared = SharedOf(device);
}

}  // namespace

void AddQemuDisks(const QemuLine& line, Given* given) {
  const Graph graph(line);
  int unnamed = 0;
  for (const QemuOption& option : line.options) {
    if (option.name == "drive") {
      const KeyValues drive = KeyValues::OfQemu(option.value, "file");
      const bool pflash = drive.Get("if") == "pflash";
      AddDrive(graph, drive, absl::StrCat(pflash ? "pflash" : "drive", unnamed++), line, given);
      continue;
    }
    for (const char* name :
         {"hda", "hdb", "hdc", "hdd", "cdrom", "fda", "fdb", "sd", "pflash", "mtdblock"}) {
      if (option.name != name) continue;
      // The value is a path as it stands, commas and all.
      given::Disk* disk = AddPart(&given->disks, "disks", given);
      if (disk == nullptr) break;
      const bool cdrom = option.name == "cdrom";
      disk->id = name;
      disk->path = {ShownPath(graph.Resolve(option.value)), FactOrigin::kArgv};
      disk->cache = {"writeback", FactOrigin::kDefault};
      disk->read_only = {cdrom, FactOrigin::kDefault};
      disk->shared = {false, FactOrigin::kDefault};
      if (cdrom) disk->format = {"raw", FactOrigin::kDefault};
    }
  }
  for (const std::string& name : graph.Roots()) AddNodeDisk(graph, name, line, given);
}

}  // namespace kvmsentry
