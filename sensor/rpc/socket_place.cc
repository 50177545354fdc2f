#include "sensor/rpc/socket_place.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/un.h>

#include "absl/strings/match.h"

#include "sensor/rpc/connect.h"

namespace kvmsentry {
namespace {

constexpr char kPrivateDir[] = ".starting-XXXXXX";
constexpr char kPrivateSocket[] = "/s";
constexpr mode_t kDirMode = 0750;
constexpr mode_t kSocketMode = 0660;

absl::Status CheckPath(const std::string& path) {
  const std::filesystem::path as_path(path);
  if (!as_path.is_absolute() || !as_path.has_filename()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "socket path '", path, "' is not absolute; give one like /run/NAME/NAME.sock"));
  }
  const size_t longest = sizeof(sockaddr_un{}.sun_path) - 1;
  const size_t private_length =
      as_path.parent_path().native().size() + 1 + strlen(kPrivateDir) + strlen(kPrivateSocket);
  if (path.size() > longest || private_length > longest) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket path ", path, " is too long for a unix socket; choose a shorter one"));
  }
  return absl::OkStatus();
}

// Opens the folder, made if it is missing.
absl::StatusOr<Fd> OpenDir(const std::string& dir) {
  const bool made = mkdir(dir.c_str(), kDirMode) == 0;
  if (!made && errno != EEXIST) return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", dir));
  Fd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("open ", dir));
  if (made && fchmod(fd.get(), kDirMode) != 0) {  // whatever the umask took away
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", dir));
  }
  return fd;
}

// Whether the socket at PATH has a listener.
absl::StatusOr<bool> Answers(const std::string& path) {
  if (ConnectUnix(path)) return true;
  if (errno == EAGAIN) return true;
  if (errno == ECONNREFUSED) return false;
  return absl::ErrnoToStatus(errno, absl::StrCat("connect to ", path));
}

absl::Status RemoveStale(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, absl::StrCat("stat ", path));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is no socket; remove it, or choose another path"));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const bool answers, Answers(path));
  if (answers) {
    return absl::FailedPreconditionError(
        absl::StrCat("another kvmsentryd is listening on ", path, "; stop it first"));
  }
  if (unlink(path.c_str()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("unlink ", path));
  return absl::OkStatus();
}

// Private folders of those that were killed before they could publish. They are nobody's: a process
// holds the lock on DIR as long as it has one, and now we hold it. Whatever else is in one, or has
// such a name, stays.
void RemoveLeftovers(const std::string& dir) {
  const absl::string_view prefix(kPrivateDir, strlen(kPrivateDir) - strlen("XXXXXX"));
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(dir, gone)) {
    const std::string name = entry.path().filename();
    if (name.size() != strlen(kPrivateDir) || !absl::StartsWith(name, prefix)) continue;
    const std::string private_dir = entry.path();
    struct stat info {};
    const bool is_dir = lstat(private_dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    if (!is_dir || info.st_uid != geteuid()) continue;
    const std::string socket = private_dir + kPrivateSocket;
    if (lstat(socket.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) unlink(socket.c_str());
    rmdir(private_dir.c_str());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<SocketPlace>> SocketPlace::Prepare(const std::string& path) {
  KVMSENTRY_RETURN_IF_ERROR(CheckPath(path));
  const std::string dir = std::filesystem::path(path).parent_path();
  KVMSENTRY_ASSIGN_OR_RETURN(Fd lock, OpenDir(dir));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("flock ", dir));
    return absl::FailedPreconditionError(
        absl::StrCat("another kvmsentryd is starting in ", dir, "; stop it first"));
  }
  KVMSENTRY_RETURN_IF_ERROR(RemoveStale(path));
  RemoveLeftovers(dir);

  std::unique_ptr<SocketPlace> place(new SocketPlace(path, std::move(lock)));
  std::string private_dir = absl::StrCat(dir == "/" ? "" : dir, "/", kPrivateDir);
  if (mkdtemp(private_dir.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("make a private folder in ", dir));
  }
  place->private_dir_ = private_dir;
  place->bind_path_ = private_dir + kPrivateSocket;
  return place;
}

absl::Status SocketPlace::Publish() {
  if (chmod(bind_path_.c_str(), kSocketMode) != 0 || stat(bind_path_.c_str(), &published_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", bind_path_));
  }
  if (renameat2(AT_FDCWD, bind_path_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("rename ", bind_path_, " to ", path_));
  }
  rmdir(private_dir_.c_str());
  private_dir_.clear();
  lock_.reset();
  return absl::OkStatus();
}

SocketPlace::~SocketPlace() {
  if (!private_dir_.empty()) {
    unlink(bind_path_.c_str());
    rmdir(private_dir_.c_str());
    return;
  }
  struct stat now {};
  const bool still_ours = stat(path_.c_str(), &now) == 0 && now.st_dev == published_.st_dev &&
                          now.st_ino == published_.st_ino;
  if (still_ours) unlink(path_.c_str());
}

}  // namespace kvmsentry
