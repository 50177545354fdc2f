// Files of /proc about one VMM, and files that it sees below its own root. A VMM may have been
// taken over, and it chooses what lies at its paths: nothing here follows a link out of that root,
// opens what is no regular file, or waits for a file system that a process of its own may serve.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/given/given.h"
#include "sensor/given/merge.h"

namespace kvmsentry {

// The links of /proc/PID/fd; PROCESS is its directory. At most kMaxFileLinks, by descriptor.
std::vector<FileLink> ReadFileLinks(int process);
inline constexpr size_t kMaxFileLinks = 4096;

// Its mountinfo; PROCESS is its directory.
absl::StatusOr<std::string> ReadMounts(int process);

// Files as one process sees them. Its mounts are read once, with the first look: one that comes
// later is of an unknown type. Not thread safe.
class ProcessRoot {
 public:
  // PROCESS is its directory, HOST_MOUNTS those of the host's first process, if they are known;
  // both outlive this.
  explicit ProcessRoot(int process, absl::string_view host_mounts = {})
      : process_(process), host_mounts_(host_mounts) {}

  // PATH without opening it: relative ones from its working directory, above which they can't
  // climb. FailedPrecondition where the way leads over FUSE, NFS, 9p and the like.
  absl::StatusOr<Fd> Find(const std::string& path);
  // Of an image that it has open. PRIVILEGED: it may use what file systems keep for root.
  // FailedPrecondition as for Find, and where the descriptor leads to another file by now.
  absl::StatusOr<ImageSpace> SpaceOf(const Device& image, bool privileged);
  // At most MAX_BYTES of the regular file PATH.
  absl::StatusOr<std::string> Read(const std::string& path, size_t max_bytes);

 private:
  // As /proc/PID/mountinfo has them.
  absl::StatusOr<absl::string_view> Mounts();
  // Before the file system is asked anything.
  absl::Status CheckOpenFile(int file);

  const int process_;
  const absl::string_view host_mounts_;
  std::optional<absl::StatusOr<std::string>> mounts_;
};

// What the security modules call the process, escaped; unknown without any that does. PROCESS is
// its directory.
TextFact ReadLabel(int process);
// The namespaces that the process's first thread is in, each by its number, but that of PIDs, which
// no process can leave; unknown where they cannot be read.
TextsFact ReadNamespaces(int process);

// ---- Pure parsers -------------------------------------------------------------------------------

// /proc/PID/status: what the process may do now.
struct ProcessRights {
  NumberFact uid;
  FlagFact filtered, no_new_privs;
  TextFact capabilities;
  int32_t inner_pid = 0;  // in the innermost PID namespace; 0: not known
};
ProcessRights ParseRights(absl::string_view status);

// Type of the mount MOUNT_ID in /proc/PID/mountinfo; "" where there is none.
std::string MountType(absl::string_view mountinfo, uint64_t mount_id);
// Whether a file system of that type answers from the kernel and local disks alone. Overlay passes,
// for the roots of containers are such; should somebody serve its layers, who looks there hangs,
// and the sensor says so (self-worker).
bool IsLocal(absl::string_view mount_type);

}  // namespace kvmsentry
