// A door for each user who is connected by the unix socket.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "sensor/rpc/access/door.h"

namespace kvmsentry {

// So many different users at once.
inline constexpr size_t kViewerDoors = 32;
inline constexpr size_t kAdminDoors = 8;

// A door has the same role for ever: what it lets pass can never be another role's, even where a
// call is late and the door has become another user's. Not thread safe.
class UnixDoors {
 public:
  UnixDoors(const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder);

  // The number of a door of CALLER's, which becomes its if it was nobody's; -1: all are in use.
  // IN_USE says whether a door still has connections.
  template <typename InUse>
  int Find(const Caller& caller, InUse in_use);

  void HandOver(int number, Fd connection) { at(number).door->HandOver(std::move(connection)); }

 private:
  // Read by gRPC's threads.
  struct Owner {
    std::mutex mutex;
    Caller caller;
  };
  struct Entry {
    std::shared_ptr<Owner> owner;
    std::unique_ptr<Door> door;
    uint64_t used = 0;  // when, in order
  };

  Entry& at(int number) { return doors_[static_cast<size_t>(number)]; }
  int Claim(int number, const Caller& caller);

  std::vector<Entry> doors_;
  uint64_t uses_ = 0;
};

template <typename InUse>
int UnixDoors::Find(const Caller& caller, InUse in_use) {
  int longest_free = -1;
  for (int i = 0; i < static_cast<int>(doors_.size()); ++i) {
    const Caller& owner = at(i).owner->caller;  // only this thread writes it
    if (owner == caller) return Claim(i, caller);
    if (owner.role != caller.role || in_use(i)) continue;
    if (longest_free < 0 || at(i).used < at(longest_free).used) longest_free = i;
  }
  return longest_free < 0 ? -1 : Claim(longest_free, caller);
}

}  // namespace kvmsentry
