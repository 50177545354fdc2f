#include "sensor/inventory/cgroup_namespace.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

constexpr char kOurs[] = "/proc/self/ns/cgroup";

// Of init, or of the kernel's first thread where init lets nobody look at it.
absl::StatusOr<Fd> OpenNamespaceOfHost() {
  absl::Status status;
  for (const char* path : {"/proc/1/ns/cgroup", "/proc/2/ns/cgroup"}) {
    Fd fd(open(path, O_RDONLY | O_CLOEXEC));
    if (fd) return fd;
    status = absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  return status;
}

}  // namespace

absl::Status JoinCgroupNamespaceOfHost() {
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd host, OpenNamespaceOfHost());
  struct stat wanted {};
  struct stat now {};
  if (fstat(host.get(), &wanted) != 0 || stat(kOurs, &now) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("stat ", kOurs));
  }
  if (wanted.st_dev == now.st_dev && wanted.st_ino == now.st_ino) return absl::OkStatus();
  if (setns(host.get(), CLONE_NEWCGROUP) != 0) {
    return absl::ErrnoToStatus(errno, "setns to the cgroup namespace of the host");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
