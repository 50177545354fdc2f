// Landlock has no library of its own: Documentation/userspace-api/landlock.rst of the kernel shows
// these calls.
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "sensor/confine/confine.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kOfFiles = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr uint64_t kTruncate = 1 << 14;  // LANDLOCK_ACCESS_FS_TRUNCATE of Linux 6.2, version 3
constexpr uint64_t kOfFolders =
    kOfFiles | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

absl::Status Allow(int rules, const std::string& path, uint64_t rights) {
  const Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place && errno == ENOENT) return absl::OkStatus();  // what is not there is not written to
  if (!place) return absl::ErrnoToStatus(errno, absl::StrCat("Landlock: opening ", path));
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = rights;
  beneath.parent_fd = place.get();
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("Landlock: a rule for ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ConfineWrites(const Writable& writable) {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  const bool without = version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP);
  // The first version let nobody rename a file from one folder to another.
  if (without || version == 1) {
    return absl::UnimplementedError(
        "this kernel has no Landlock of version 2 (Linux 5.19), or not in its list lsm=");
  }
  if (version < 0) return absl::ErrnoToStatus(errno, "Landlock: asking for its version");
  const uint64_t of_folders = kOfFolders | (version >= 3 ? kTruncate : 0);
  const uint64_t of_files = kOfFiles | (version >= 3 ? kTruncate : 0);
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = of_folders | LANDLOCK_ACCESS_FS_EXECUTE;
  const Fd rules(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0)));
  if (!rules) return absl::ErrnoToStatus(errno, "Landlock: making a set of rules");
  for (const std::string& folder : writable.folders) {
    KVMSENTRY_RETURN_IF_ERROR(Allow(rules.get(), folder, of_folders));
  }
  for (const std::string& folder : writable.removed) {
    KVMSENTRY_RETURN_IF_ERROR(Allow(rules.get(), folder, LANDLOCK_ACCESS_FS_REMOVE_DIR));
  }
  for (const char* device : {"/dev/null", "/dev/kvm"}) {
    KVMSENTRY_RETURN_IF_ERROR(Allow(rules.get(), device, of_files));
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
    return absl::ErrnoToStatus(errno, "Landlock: enforcing the rules");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
