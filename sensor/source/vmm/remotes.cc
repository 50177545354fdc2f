#include "sensor/source/vmm/remotes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <arpa/inet.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kvmsentry {
namespace {

// Of the protocols by which QEMU reaches disks and networks, the ports where none is named; 0: one
// must be.
constexpr std::array<std::pair<absl::string_view, uint16_t>, 11> kPorts = {{{"nbd", 10809},
                                                                            {"iscsi", 3260},
                                                                            {"ssh", 22},
                                                                            {"nfs", 2049},
                                                                            {"gluster", 24007},
                                                                            {"http", 80},
                                                                            {"https", 443},
                                                                            {"ftp", 21},
                                                                            {"ftps", 990},
                                                                            {"tcp", 0},
                                                                            {"connect", 0}}};

// As the kernel's addresses are shown; empty where TEXT is none.
std::string AddressOf(const std::string& text) {
  std::array<uint8_t, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), address.data()) != 1) continue;
    inet_ntop(family, address.data(), shown.data(), shown.size());
    return family == AF_INET ? shown.data() : absl::StrCat("[", shown.data(), "]");
  }
  return "";
}

// PLACE is a URL, or as QEMU has it, "nbd:HOST:PORT:NAME".
std::optional<std::string> RemoteOf(absl::string_view place) {
  const size_t scheme_end = std::min(place.find(':'), place.size());
  const auto known = std::ranges::find(kPorts, place.substr(0, scheme_end),
                                       &std::pair<absl::string_view, uint16_t>::first);
  if (known == kPorts.end() || scheme_end == place.size()) return std::nullopt;
  place.remove_prefix(scheme_end + 1);
  absl::ConsumePrefix(&place, "//");
  place = place.substr(0, place.find('/'));
  const size_t user_end = place.rfind('@');
  if (user_end != place.npos) place.remove_prefix(user_end + 1);
  const size_t bracket = place.empty() || place[0] != '[' ? place.npos : place.find(']');
  const bool bracketed = bracket != place.npos;
  const size_t host_end = bracketed ? bracket + 1 : std::min(place.find(':'), place.size());
  const std::string host(bracketed ? place.substr(1, bracket - 1) : place.substr(0, host_end));
  const std::string address = AddressOf(host == "localhost" ? "127.0.0.1" : host);
  if (address.empty()) return std::nullopt;
  place.remove_prefix(host_end);
  uint32_t port = known->second;
  if (absl::ConsumePrefix(&place, ":") &&
      !absl::SimpleAtoi(place.substr(0, place.find(':')), &port)) {
    return std::nullopt;
  }
  if (port == 0 || port > UINT16_MAX) return std::nullopt;
  return absl::StrCat(address, ":", port);
}

// Not what a file says that a VMM in a pod of its own may write.
bool IsOfCommandLine(FactOrigin origin) { return origin == FactOrigin::kArgv; }

}  // namespace

std::vector<std::string> RemotesOf(const Given& given) {
  std::vector<std::string> remotes;
  const auto add = [&](const std::string& place) {
    if (auto remote = RemoteOf(place)) remotes.push_back(*std::move(remote));
  };
  for (const given::Disk& disk : given.disks) {
    if (disk.path.known() && IsOfCommandLine(disk.path.origin)) add(*disk.path.value);
    if (!disk.backing.known() || !IsOfCommandLine(disk.backing.origin)) continue;
    for (const std::string& backing : *disk.backing.value) add(backing);
  }
  for (const given::Interface& interface : given.interfaces) {
    if (interface.socket.known() && IsOfCommandLine(interface.socket.origin))
      add(*interface.socket.value);
  }
  return remotes;
}

}  // namespace kvmsentry
