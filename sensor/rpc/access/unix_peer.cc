#include "sensor/rpc/access/unix_peer.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include "absl/strings/numbers.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

// What the kernel gives for an id that has no number in our user namespace, unless
// /proc/sys/kernel/overflowuid says otherwise: anybody may be behind it.
constexpr uint32_t kOverflowId = 65534;
constexpr size_t kMaxEntryBytes = 64 << 10;

// By NAME_OF_ID, getpwnam_r or getgrnam_r.
template <typename Entry, typename Lookup>
std::optional<Entry> Find(Lookup lookup, const std::string& name, std::vector<char>& buffer) {
  buffer.resize(kMaxEntryBytes);
  Entry entry{};
  Entry* found = nullptr;
  lookup(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(entry);
}

absl::StatusOr<uint32_t> CheckId(uint32_t id, absl::string_view option, const std::string& name) {
  if (id != kOverflowId) return id;
  return absl::InvalidArgumentError(absl::StrCat(
      option, " ", Escape(name), ": ", kOverflowId,
      " stands for every id of other user namespaces, so it cannot be an admin; name another one"));
}

absl::Status Unknown(absl::string_view option, absl::string_view kind, const std::string& name) {
  return absl::InvalidArgumentError(absl::StrCat(option, " ", Escape(name), ": this host has no ",
                                                 kind,
                                                 " of that name; create it, or name another"));
}

}  // namespace

absl::StatusOr<UnixPeer> ReadUnixPeer(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return absl::ErrnoToStatus(errno, "SO_PEERCRED of a client");
  }
  UnixPeer peer{.uid = credentials.uid, .gid = credentials.gid, .groups = {}};
  size = 0;
  // Asked without room, the kernel tells how much it needs.
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0) {
    if (errno != ERANGE) return absl::ErrnoToStatus(errno, "SO_PEERGROUPS of a client");
    peer.groups.resize(size / sizeof(gid_t));
  }
  peer.groups.resize(size / sizeof(gid_t));
  return peer;
}

absl::StatusOr<UnixAdmins> FindUnixAdmins(const std::vector<std::string>& users,
                                          const std::vector<std::string>& groups) {
  constexpr char kUserOption[] = "--admin-user";
  constexpr char kGroupOption[] = "--admin-group";
  UnixAdmins admins;
  std::vector<char> buffer;
  for (const std::string& name : users) {
    uint32_t id = 0;
    if (!absl::SimpleAtoi(name, &id)) {
      const std::optional<passwd> user = Find<passwd>(getpwnam_r, name, buffer);
      if (!user) return Unknown(kUserOption, "user", name);
      id = user->pw_uid;
    }
    KVMSENTRY_ASSIGN_OR_RETURN(admins.uids.emplace_back(), CheckId(id, kUserOption, name));
  }
  for (const std::string& name : groups) {
    uint32_t id = 0;
    if (!absl::SimpleAtoi(name, &id)) {
      const std::optional<group> found = Find<group>(getgrnam_r, name, buffer);
      if (!found) return Unknown(kGroupOption, "group", name);
      id = found->gr_gid;
    }
    KVMSENTRY_ASSIGN_OR_RETURN(admins.gids.emplace_back(), CheckId(id, kGroupOption, name));
  }
  return admins;
}

Caller CallerOf(const UnixPeer& peer, const UnixAdmins& admins) {
  const auto is_admin_group = [&](gid_t gid) {
    return std::ranges::find(admins.gids, gid) != admins.gids.end();
  };
  const bool admin = peer.uid == 0 ||
                     std::ranges::find(admins.uids, peer.uid) != admins.uids.end() ||
                     is_admin_group(peer.gid) || std::ranges::any_of(peer.groups, is_admin_group);
  return {admin ? Role::kAdmin : Role::kViewer, absl::StrCat("uid ", peer.uid)};
}

}  // namespace kvmsentry
