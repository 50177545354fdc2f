#include "tests/vmm/temporary.h"

#include <cerrno>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {

std::string InTemporary(absl::string_view name) {
  const char* folder = std::getenv("TMPDIR");
  return absl::StrCat(folder == nullptr ? "/tmp" : folder, "/", name);
}

absl::StatusOr<Fd> ListenAt(const std::string& path) {
  constexpr int kWaiting = 8;
  Fd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(server.get(), kWaiting) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return server;
}

}  // namespace kvmsentry
