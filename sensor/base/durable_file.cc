#include "sensor/base/durable_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/fd.h"

namespace kvmsentry {

absl::Status WriteDurably(const std::string& path, absl::string_view text, mode_t mode,
                          IfThere if_there) {
  const int existing = if_there == IfThere::kFail ? O_EXCL : O_TRUNC;
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | existing | O_CLOEXEC, mode));
  if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("create ", path));
  while (!text.empty()) {
    const ssize_t written = write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, absl::StrCat("write ", path));
    text.remove_prefix(static_cast<size_t>(written));
  }
  // The umask may have taken some of the mode away.
  if (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("fsync ", path));
  }
  return absl::OkStatus();
}

absl::Status Sync(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("fsync ", path));
  return absl::OkStatus();
}

}  // namespace kvmsentry
