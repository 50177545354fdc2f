// Which connections are open, whose they are, and whether one more may come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "sensor/rpc/access/board.h"

namespace kvmsentry {

enum class Wire { kUnix, kTcp };

// Whom a connection counts for: a user, or the address from which it comes.
struct Connector {
  Wire wire = Wire::kUnix;
  std::string name;  // "uid 1000", "address 10.0.0.1"
  bool admin = false;
};

struct Excess {
  Refusal refusal;
  std::string why;  // names the limit and how to get below it
};

// gRPC says of no connection that it ended, but it owns a descriptor for as long as one lives: a
// connection is open as long as its number still leads to its socket. Not thread safe.
class ConnectionTable {
 public:
  explicit ConnectionTable(uint32_t max) : max_(max) {}

  // Whether CONNECTOR may have one more; what ended meanwhile is looked for before it may not. So
  // that no client can keep others out: a user has at most a quarter of all connections, an address
  // an eighth, all of TCP half, and a sixteenth is kept for admins of this host.
  std::optional<Excess> Check(const Connector& connector);

  // SOCKET, whose number stays its own until it ends. DOOR: a number of the caller's.
  void Add(int socket, const Connector& connector, int door);

  // Forgets those that have ended.
  void Sweep();

  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  uint32_t max() const { return max_; }
  bool DoorInUse(int door) const;

 private:
  struct Entry {
    int socket = -1;
    dev_t device = 0;
    ino_t inode = 0;
    Connector connector;
    int door = -1;
  };

  std::optional<Excess> Find(const Connector& connector) const;

  const uint32_t max_;
  std::vector<Entry> entries_;
};

}  // namespace kvmsentry
