#include "sensor/given/process_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/given/shown_text.h"
#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxMounts = 1 << 20;
constexpr size_t kMaxFdInfo = 4096;
constexpr size_t kMaxLabel = 4096;

// Closes what opendir() opened.
struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

absl::StatusOr<uint64_t> MountOf(int fd) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::string info,
      ReadFileAt(AT_FDCWD, absl::StrCat("/proc/self/fdinfo/", fd), kMaxFdInfo));
  for (absl::string_view line : absl::StrSplit(info, '\n')) {
    uint64_t mount = 0;
    if (absl::ConsumePrefix(&line, "mnt_id:") && absl::SimpleAtoi(line, &mount)) return mount;
  }
  return absl::DataLossError("no mnt_id in /proc/self/fdinfo");
}

absl::Status OnAnother(absl::string_view type) {
  return absl::FailedPreconditionError(
      absl::StrCat("it lies on ", type.empty() ? "an unknown file system" : type));
}

// Looks up a path one step at a time, so that each directory is known to be on a local file system
// before it is asked for anything, and no link leads out of the root.
class PathWalk {
 public:
  // MOUNTS outlives it.
  PathWalk(int process, absl::string_view mounts) : process_(process), mounts_(mounts) {}

  absl::StatusOr<Fd> Find(absl::string_view path) {
    if (path.empty() || absl::StrContains(path, '\0')) {
      return absl::InvalidArgumentError("an empty path");
    }
    KVMSENTRY_RETURN_IF_ERROR(Begin(path[0] == '/' ? "root" : "cwd"));
    Prepend(path);
    while (!names_.empty()) {
      const std::string name = std::move(names_.back());
      names_.pop_back();
      if (name == "..") {
        if (way_.size() > 1) way_.pop_back();
      } else if (name != ".") {
        KVMSENTRY_RETURN_IF_ERROR(Step(name));
      }
    }
    return std::move(way_.back());
  }

 private:
  static constexpr int kMaxLinks = 40;
  static constexpr size_t kMaxSteps = 1024;

  absl::Status Begin(const char* from) {
    way_.clear();
    way_.emplace_back(openat(process_, from, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!way_.back()) return FileError(errno, absl::StrCat("open /proc/PID/", from));
    return CheckLocal();
  }

  void Prepend(absl::string_view path) {
    std::vector<std::string> names = absl::StrSplit(path, '/', absl::SkipEmpty());
    names_.insert(names_.end(), names.rbegin(), names.rend());
  }

  absl::Status Step(const std::string& name) {
    if (++steps_ > kMaxSteps) return absl::FailedPreconditionError("the path is too long");
    Fd next(openat(way_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return FileError(errno, "look up a path of the VMM");
    way_.push_back(std::move(next));
    KVMSENTRY_RETURN_IF_ERROR(CheckLocal());
    struct stat stat {};
    if (fstat(way_.back().get(), &stat) != 0) return FileError(errno, "look at a path of the VMM");
    if (!S_ISLNK(stat.st_mode)) return absl::OkStatus();
    if (++links_ > kMaxLinks) return FileError(ELOOP, "look up a path of the VMM");
    std::array<char, PATH_MAX> target;
    const ssize_t length = readlinkat(way_.back().get(), "", target.data(), target.size());
    if (length <= 0) return FileError(errno, "read a link of the VMM");
    way_.pop_back();
    const absl::string_view path(target.data(), static_cast<size_t>(length));
    if (path[0] == '/') KVMSENTRY_RETURN_IF_ERROR(Begin("root"));
    Prepend(path);
    return absl::OkStatus();
  }

  absl::Status CheckLocal() {
    KVMSENTRY_ASSIGN_OR_RETURN(const uint64_t mount, MountOf(way_.back().get()));
    if (mount == checked_) return absl::OkStatus();
    const std::string type = MountType(mounts_, mount);
    if (!IsLocal(type)) return OnAnother(type);
    checked_ = mount;
    return absl::OkStatus();
  }

  const int process_;
  const absl::string_view mounts_;
  std::vector<Fd> way_;             // from the root to where the walk is
  std::vector<std::string> names_;  // still to go, the next one last
  std::optional<uint64_t> checked_;
  int links_ = 0;
  size_t steps_ = 0;
};

}  // namespace

std::vector<FileLink> ReadFileLinks(int process) {
  std::vector<FileLink> links;
  const int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return links;
  const Directory directory(fdopendir(fd));
  if (directory == nullptr) {
    close(fd);
    return links;
  }
  while (const dirent* entry = readdir(directory.get())) {
    FileLink link;
    if (!absl::SimpleAtoi(entry->d_name, &link.fd)) continue;
    std::array<char, PATH_MAX> target;
    const ssize_t length = readlinkat(fd, entry->d_name, target.data(), target.size());
    if (length <= 0) continue;
    link.target.assign(target.data(), static_cast<size_t>(length));
    links.push_back(std::move(link));
    if (links.size() == kMaxFileLinks) break;
  }
  std::ranges::sort(links, {}, &FileLink::fd);
  return links;
}

absl::StatusOr<std::string> ReadMounts(int process) {
  return ReadFileAt(process, "mountinfo", kMaxMounts);
}

absl::StatusOr<absl::string_view> ProcessRoot::Mounts() {
  if (!mounts_) mounts_ = ReadMounts(process_);
  if (!mounts_->ok()) return mounts_->status();
  return absl::string_view(**mounts_);
}

absl::StatusOr<Fd> ProcessRoot::Find(const std::string& path) {
  KVMSENTRY_ASSIGN_OR_RETURN(const absl::string_view mounts, Mounts());
  return PathWalk(process_, mounts).Find(path);
}

// A process may have images that were opened among the host's mounts, and see others itself. The
// sensor's own mounts are copies of the host's, with other numbers, where its unit confines it.
absl::Status ProcessRoot::CheckOpenFile(int file) {
  KVMSENTRY_ASSIGN_OR_RETURN(const uint64_t mount, MountOf(file));
  if (IsLocal(MountType(host_mounts_, mount))) return absl::OkStatus();
  KVMSENTRY_ASSIGN_OR_RETURN(const absl::string_view mounts, Mounts());
  const std::string type = MountType(mounts, mount);
  // Who may mount an overlay chooses what serves its layers.
  if (type != "overlay" && IsLocal(type)) return absl::OkStatus();
  return OnAnother(type);
}

absl::StatusOr<ImageSpace> ProcessRoot::SpaceOf(const Device& image, bool privileged) {
  const Fd file(openat(process_, absl::StrCat("fd/", image.fd).c_str(), O_PATH | O_CLOEXEC));
  if (!file) return FileError(errno, "look at an open file of the VMM");
  KVMSENTRY_RETURN_IF_ERROR(CheckOpenFile(file.get()));
  struct stat stat {};
  struct statfs system {};
  if (fstat(file.get(), &stat) != 0 || fstatfs(file.get(), &system) != 0) {
    return FileError(errno, "look at an image of the VMM");
  }
  const auto magic = static_cast<uint64_t>(system.f_type);
  if (!IsFile(stat, magic, makedev(image.major, image.minor), image.inode)) {
    return absl::FailedPreconditionError("the descriptor is another file's by now");
  }
  constexpr uint64_t kBlock = 512;       // of st_blocks, inode(7)
  constexpr uint64_t kZfs = 0x2fc12fc1;  // OpenZFS, include/sys/zfs_vfsops_os.h
  const auto size = static_cast<uint64_t>(stat.st_size);
  const uint64_t allocated = static_cast<uint64_t>(stat.st_blocks) * kBlock;
  const uint64_t blocks = privileged ? system.f_bfree : system.f_bavail;
  return ImageSpace{.holes = size > allocated ? size - allocated : 0,
                    .left = blocks * static_cast<uint64_t>(system.f_frsize),
                    .copies = magic == BTRFS_SUPER_MAGIC || magic == kZfs};
}

absl::StatusOr<std::string> ProcessRoot::Read(const std::string& path, size_t max_bytes) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd found, Find(path));
  struct stat stat {};
  if (fstat(found.get(), &stat) != 0) return FileError(errno, "look at a file of the VMM");
  if (!S_ISREG(stat.st_mode)) return absl::FailedPreconditionError("it is no regular file");
  return ReadFileAt(AT_FDCWD, absl::StrCat("/proc/self/fd/", found.get()), max_bytes);
}

TextFact ReadLabel(int process) {
  const absl::StatusOr<std::string> label = ReadFileAt(process, "attr/current", kMaxLabel);
  if (!label.ok()) return {};
  // SELinux ends it with a 0, AppArmor with a line's end.
  const size_t end = label->find_last_not_of(std::string("\0\n", 2));
  if (end == std::string::npos) return {};
  return {ShownText(absl::string_view(*label).substr(0, end + 1)), FactOrigin::kProcess};
}

TextsFact ReadNamespaces(int process) {
  TextsFact namespaces;
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "user", "uts"}) {
    std::array<char, 64> target;  // "mnt:[4026531841]", fs/nsfs.c
    const ssize_t length =
        readlinkat(process, absl::StrCat("ns/", kind).c_str(), target.data(), target.size());
    if (length <= 0) continue;
    absl::string_view text(target.data(), static_cast<size_t>(length));
    uint64_t number = 0;
    if (!absl::ConsumePrefix(&text, absl::StrCat(kind, ":[")) || !absl::ConsumeSuffix(&text, "]") ||
        !absl::SimpleAtoi(text, &number)) {
      continue;
    }
    if (!namespaces.known()) namespaces = {std::vector<std::string>(), FactOrigin::kProcess};
    namespaces.value->push_back(absl::StrCat(kind, " ", number));
  }
  return namespaces;
}

ProcessRights ParseRights(absl::string_view status) {
  ProcessRights rights;
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    uint64_t number = 0;
    if (words.size() < 2) continue;
    if (words[0] == "Uid:" && words.size() > 2 && absl::SimpleAtoi(words[2], &number)) {
      rights.uid = {number, FactOrigin::kProcess};  // the effective one
    } else if (words[0] == "CapEff:" && absl::SimpleHexAtoi(words[1], &number)) {
      rights.capabilities = {absl::StrCat("0x", absl::Hex(number)), FactOrigin::kProcess};
    } else if (words[0] == "NoNewPrivs:" && absl::SimpleAtoi(words[1], &number)) {
      rights.no_new_privs = {number != 0, FactOrigin::kProcess};
    } else if (words[0] == "Seccomp:" && absl::SimpleAtoi(words[1], &number)) {
      rights.filtered = {number != 0, FactOrigin::kProcess};
    } else if (words[0] == "NSpid:") {
      if (!absl::SimpleAtoi(words.back(), &rights.inner_pid)) rights.inner_pid = 0;
    }
  }
  return rights;
}

std::string MountType(absl::string_view mountinfo, uint64_t mount_id) {
  for (const absl::string_view line : absl::StrSplit(mountinfo, '\n')) {
    uint64_t id = 0;
    if (!absl::SimpleAtoi(line.substr(0, line.find(' ')), &id) || id != mount_id) continue;
    // Optional fields end at a dash alone, and names hold no blanks: they are written as \040.
    const size_t dash = line.find(" - ");
    if (dash == absl::string_view::npos) return "";
    const absl::string_view rest = line.substr(dash + 3);
    return std::string(rest.substr(0, rest.find(' ')));
  }
  return "";
}

bool IsLocal(absl::string_view mount_type) {
  for (const char* type : {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "ramfs",
                           "devtmpfs", "squashfs", "erofs", "vfat", "iso9660"}) {
    if (mount_type == type) return true;
  }
  return mount_type == "overlay";
}

}  // namespace kvmsentry
