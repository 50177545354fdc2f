// The place of a listening unix socket in the file system: taken over without a race, given back
// without a trace.
#pragma once

#include <memory>
#include <string>

#include <sys/stat.h>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Whoever listens binds its socket at bind_path(), in a folder that nobody else may enter, and then
// calls Publish: only then does the socket appear at its path, with its final mode. So there is no
// moment at which it can be reached with another mode, and no process-wide umask is touched.
class SocketPlace {
 public:
  // Makes the folder of PATH (0750) if it is missing; removes a stale socket at PATH, and the
  // private folders of those that were killed while they started. Errors: FAILED_PRECONDITION if
  // another process listens on PATH, or if PATH is no socket; INVALID_ARGUMENT if PATH is not
  // absolute or too long for a socket.
  static absl::StatusOr<std::unique_ptr<SocketPlace>> Prepare(const std::string& path);

  SocketPlace(const SocketPlace&) = delete;
  SocketPlace& operator=(const SocketPlace&) = delete;
  // Removes what it made, unless another process has taken the path over.
  ~SocketPlace();

  const std::string& bind_path() const { return bind_path_; }

  // Moves the socket bound at bind_path() to PATH, with mode 0660. Call it once.
  absl::Status Publish();

 private:
  SocketPlace(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  Fd lock_;  // on the folder, until published: two that start at once must see each other
  std::string private_dir_;
  std::string bind_path_;
  struct stat published_ {};  // to know it again
};

}  // namespace kvmsentry
