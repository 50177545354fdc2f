// Names of unix sockets: those that processes have open are links to inodes, which the kernel lists
// for a network namespace as a whole.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Paths by inode, raw; of sockets with a name alone.
using UnixSockets = std::map<uint64_t, std::string>;

// Reads the list of each network namespace once for all VMs of a round: hosts have most of their
// VMs in one. Not thread safe.
class SocketLists {
 public:
  // Those of the process whose directory in /proc is PROCESS; empty where they can't be read. Valid
  // until the next call.
  const UnixSockets& Of(int process);

  // A new round: sockets come and go.
  void Forget() { by_namespace_.clear(); }

 private:
  std::map<uint64_t, UnixSockets> by_namespace_;  // by its inode in nsfs; 0: not known which
};

// ---- Pure ---------------------------------------------------------------------------------------

// /proc/net/unix.
UnixSockets ParseUnixSockets(absl::string_view content);

// The inode in "socket:[INODE]", where a descriptor of a socket leads.
std::optional<uint64_t> SocketIn(absl::string_view target);

}  // namespace kvmsentry
