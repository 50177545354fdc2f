// Interfaces on QEMU's command line: -netdev with the -device that uses it, -nic, and -net.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "sensor/given/qemu.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

void SetIf(const KeyValues& values, absl::string_view key, TextFact* fact) {
  if (!values.Get(key).empty()) *fact = {ShownText(values.Get(key)), FactOrigin::kArgv};
}

// Where a stream, dgram or socket back end leads.
std::string SocketOf(const KeyValues& net) {
  for (const char* side : {"addr", "remote", "local"}) {
    const std::string type = net.Get(absl::StrCat(side, ".type"));
    if (type == "unix") return absl::StrCat("unix:", net.Get(absl::StrCat(side, ".path")));
    if (type == "fd") return absl::StrCat("fd:", net.Get(absl::StrCat(side, ".str")));
    if (type == "inet") {
      return absl::StrCat(
          net.Get("type") == "dgram" ? "udp:" : "tcp:", net.Get(absl::StrCat(side, ".host")), ":",
          net.Get(absl::StrCat(side, ".port")));
    }
  }
  for (const char* way : {"listen", "connect", "mcast", "udp", "sock"}) {
    if (net.Has(way)) return absl::StrCat(way, ":", net.Get(way));
  }
  return net.Has("fd") ? absl::StrCat("fd:", net.Get("fd")) : "";
}

// What the back end NET is, all but its id.
void Fill(const KeyValues& net, const QemuLine& line, given::Interface* interface) {
  const std::string& type = net.Get("type");
  interface->kind = {ShownText(type), FactOrigin::kArgv};
  SetIf(net, "br", &interface->bridge);
  if (type == "bridge" && !net.Has("br")) interface->bridge = {"br0", FactOrigin::kDefault};
  if (type == "tap" || type == "vhost-vdpa") {
    SetIf(net, type == "tap" ? "ifname" : "vhostdev", &interface->device);
    const std::string& fds = net.Has("fds") ? net.Get("fds") : net.Get("fd");
    if (!fds.empty()) {
      interface->device = {absl::StrCat("fd:", ShownText(fds.substr(0, fds.find(':')))),
                           FactOrigin::kArgv};
    }
    // vhostfd= and vhostfds= switch it on, too.
    const std::optional<bool> vhost = net.GetFlag("vhost");
    if (vhost) {
      interface->vhost = {*vhost, FactOrigin::kArgv};
    } else if (net.Has("vhostfd") || net.Has("vhostfds") || type == "vhost-vdpa") {
      interface->vhost = {true, FactOrigin::kArgv};
    } else {
      interface->vhost = {false, FactOrigin::kDefault};
    }
  } else {
    interface->vhost = {false, FactOrigin::kArgv};
  }
  std::string socket = type == "vhost-user" ? line.ChardevPlace(net.Get("chardev")) : SocketOf(net);
  if (!socket.empty()) interface->socket = {ShownPath(socket), FactOrigin::kArgv};
  // What a back end of that kind never has is known, too.
  const bool of_host = type == "tap" || type == "bridge" || type == "vhost-vdpa";
  if (of_host || type == "user") interface->socket.Offer({"", FactOrigin::kArgv});
  if (!of_host) {
    interface->device.Offer({"", FactOrigin::kArgv});
    interface->bridge.Offer({"", FactOrigin::kArgv});
  }
  std::vector<std::string> addresses;
  for (const char* key : {"net", "host", "ip6-net", "dhcpstart", "guestfwd", "hostfwd"}) {
    for (const auto& [name, value] : net.items()) {
      // JSON has hostfwd.0.str.
      if (name == key || absl::StartsWith(name, absl::StrCat(key, "."))) {
        addresses.push_back(absl::StrCat(key, " ", ShownText(value)));
      }
    }
  }
  if (type == "user") interface->addresses = {std::move(addresses), FactOrigin::kArgv};
}

void SetFront(const QemuDevice* device, given::Interface* interface) {
  if (device == nullptr) return;
  if (!device->id.empty()) interface->id = ShownText(device->id);
  interface->model = {ShownText(device->driver), FactOrigin::kArgv};
  SetIf(device->values, "mac", &interface->mac);
}

// -nic and -net name front and back end in one.
void SetFront(const KeyValues& nic, given::Interface* interface) {
  SetIf(nic, "model", &interface->model);
  SetIf(nic, "mac", &interface->mac);
  SetIf(nic, "macaddr", &interface->mac);
}

// Without -nodefaults and without another, there is one of user mode (system/vl.c, default_net).
bool HasDefaultNetwork(const QemuLine& line) {
  return std::ranges::none_of(line.options, [](const QemuOption& option) {
    return option.name == "nodefaults" || option.name == "netdev" || option.name == "net" ||
           option.name == "nic";
  });
}

void AddDefaultNetwork(Given* given) {
  given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
  if (interface == nullptr) return;
  interface->id = "nic0";
  interface->kind = {"user", FactOrigin::kDefault};
  for (TextFact* none : {&interface->device, &interface->bridge, &interface->socket}) {
    *none = {"", FactOrigin::kDefault};
  }
  interface->addresses = {std::vector<std::string>(), FactOrigin::kDefault};
  interface->vhost = {false, FactOrigin::kDefault};
}

}  // namespace

void AddQemuNetwork(const QemuLine& line, Given* given) {
  if (HasDefaultNetwork(line)) AddDefaultNetwork(given);
  int unnamed = 0;
  std::vector<size_t> on_hub;  // those of -net
  std::optional<KeyValues> nic_of_hub;
  for (const QemuOption& option : line.options) {
    const bool netdev = option.name == "netdev";
    const bool old_form = option.name == "net";
    if (!netdev && !old_form && option.name != "nic") continue;
    KeyValues net = KeyValues::OfEither(option.value, "type");
    if (net.Get("type") == "none" || net.Get("type").empty()) continue;
    if (old_form && net.Get("type") == "nic") {
      nic_of_hub = std::move(net);
      continue;
    }
    given::Interface* interface = AddPart(&given->interfaces, "interfaces", given);
    if (interface == nullptr) break;
    if (old_form) on_hub.push_back(given->interfaces.size() - 1);
    interface->id = net.Has("id") ? ShownText(net.Get("id")) : absl::StrCat("nic", unnamed++);
    Fill(net, line, interface);
    if (netdev) {
      SetFront(line.DeviceWith("netdev", net.Get("id")), interface);
    } else if (!old_form) {
      SetFront(net, interface);
    }
  }
  // What -net has added lies on one hub, with one front end.
  for (const size_t index : on_hub) {
    if (nic_of_hub) SetFront(*nic_of_hub, &given->interfaces[index]);
  }
}

}  // namespace kvmsentry
