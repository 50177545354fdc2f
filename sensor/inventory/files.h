// Small files of procfs and of /etc, read whole and bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/stat.h>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// At most MAX_BYTES of the file NAME below DIRECTORY (AT_FDCWD: as a path). NotFound where the
// file, or the process that a file of procfs tells of, is not there.
absl::StatusOr<std::string> ReadFileAt(int directory, const std::string& name, size_t max_bytes);

absl::StatusOr<Fd> OpenDirectory(const std::string& path);

// Whether STAT is of the regular file INODE on the file system of number DEVICE and type MAGIC, as
// the kernel has them.
bool IsFile(const struct stat& stat, uint64_t magic, dev_t device, uint64_t inode);

// errno as a status; ESRCH, which procfs gives once a process has gone, as NotFound.
absl::Status FileError(int error, const std::string& what);

}  // namespace kvmsentry
