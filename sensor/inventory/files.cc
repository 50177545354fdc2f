#include "sensor/inventory/files.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/magic.h>
#include <unistd.h>

namespace kvmsentry {

// Btrfs and overlayfs tell stat() a device of their own making.
bool IsFile(const struct stat& stat, uint64_t magic, dev_t device, uint64_t inode) {
  const bool own_device = magic == BTRFS_SUPER_MAGIC || magic == OVERLAYFS_SUPER_MAGIC;
  return S_ISREG(stat.st_mode) && stat.st_ino == inode && (own_device || stat.st_dev == device);
}

absl::Status FileError(int error, const std::string& what) {
  return absl::ErrnoToStatus(error == ESRCH ? ENOENT : error, what);
}

absl::StatusOr<std::string> ReadFileAt(int directory, const std::string& name, size_t max_bytes) {
  // Not waiting: whoever owns a file may hold a lease on it.
  const Fd file(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return FileError(errno, absl::StrCat("open ", name));
  // As large as it must be: most files are far smaller than the most that is read of any.
  constexpr size_t kFirst = 4096;
  std::string content;
  size_t length = 0;
  while (length < max_bytes) {
    if (length == content.size()) {
      content.resize(std::min(max_bytes, std::max(kFirst, 2 * length)));
    }
    const ssize_t n = read(file.get(), content.data() + length, content.size() - length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(errno, absl::StrCat("read ", name));
    if (n == 0) break;
    length += static_cast<size_t>(n);
  }
  content.resize(length);
  return content;
}

absl::StatusOr<Fd> OpenDirectory(const std::string& path) {
  Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return FileError(errno, absl::StrCat("open ", path));
  return directory;
}

}  // namespace kvmsentry
