// Who is at the other end of a unix socket, as the kernel says.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "sensor/base/status.h"
#include "sensor/rpc/access/caller.h"

namespace kvmsentry {

// As of its connect(), whatever the process became since; ids are those of our user namespace.
struct UnixPeer {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
};

// SO_PEERCRED and SO_PEERGROUPS of SOCKET.
absl::StatusOr<UnixPeer> ReadUnixPeer(int socket);

// Who is an admin beside root.
struct UnixAdmins {
  std::vector<uid_t> uids;
  std::vector<gid_t> gids;
};

// USERS and GROUPS by name or number, as this host knows them now. INVALID_ARGUMENT for one that
// it does not know, and for the number that stands for ids of other user namespaces.
absl::StatusOr<UnixAdmins> FindUnixAdmins(const std::vector<std::string>& users,
                                          const std::vector<std::string>& groups);

// The mode of the socket let it connect, so it is a viewer at least.
Caller CallerOf(const UnixPeer& peer, const UnixAdmins& admins);

}  // namespace kvmsentry
