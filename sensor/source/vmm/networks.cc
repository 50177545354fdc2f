#include "sensor/source/vmm/networks.h"

#include "absl/strings/match.h"

#include "bpf/vmm/records.h"

namespace kvmsentry {
namespace {

// Back ends of QEMU, qemu-options.hx: -netdev.
uint64_t NetworkOf(const given::Interface& interface) {
  if (!interface.kind.known() || interface.kind.origin == FactOrigin::kOpenFile) return 0;
  const std::string& kind = *interface.kind.value;
  if (kind == "user") return KS_NETWORK_USER;
  if (kind == "l2tpv3") return KS_NETWORK_DATAGRAM;
  if (kind != "dgram" && kind != "socket") return 0;
  const std::string socket = interface.socket.value.value_or("");
  const bool datagrams = absl::StartsWith(socket, "udp:") || absl::StartsWith(socket, "mcast:");
  return datagrams ? KS_NETWORK_DATAGRAM : 0;
}

}  // namespace

uint64_t NetworksOf(const Given& given) {
  uint64_t networks = 0;
  for (const given::Interface& interface : given.interfaces) networks |= NetworkOf(interface);
  return networks;
}

}  // namespace kvmsentry
