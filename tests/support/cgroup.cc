#include "tests/support/cgroup.h"

#include <cerrno>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kvmsentry {
namespace {

constexpr char kRoot[] = "/sys/fs/cgroup";

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file ? absl::OkStatus() : absl::ErrnoToStatus(errno, absl::StrCat("writing to ", path));
}

}  // namespace

bool Cgroup::IsUnified() {
  return access(absl::StrCat(kRoot, "/cgroup.controllers").c_str(), F_OK) == 0;
}

absl::StatusOr<Cgroup> Cgroup::Make(absl::string_view controller) {
  static int made = 0;
  std::string parent = kRoot;
  if (IsUnified()) {
    if (controller == "cpuacct") controller = "cpu";
    KVMSENTRY_RETURN_IF_ERROR(
        WriteFile(absl::StrCat(kRoot, "/cgroup.subtree_control"), absl::StrCat("+", controller)));
  } else {
    absl::StrAppend(&parent, "/", controller == "io" ? "blkio" : controller);
  }
  const std::string path = absl::StrCat(parent, "/ks-test-", getpid(), "-", ++made);
  if (mkdir(path.c_str(), 0755) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", path));
  return Cgroup(path);
}

Cgroup::~Cgroup() {
  if (!path_.empty()) rmdir(path_.c_str());
}

absl::Status Cgroup::Add(pid_t pid) const { return Write("cgroup.procs", absl::StrCat(pid)); }

absl::Status Cgroup::Write(absl::string_view file, absl::string_view text) const {
  return WriteFile(absl::StrCat(path_, "/", file), text);
}

absl::StatusOr<uint64_t> Cgroup::Read(absl::string_view file, absl::string_view word) const {
  return NumberOf(absl::StrCat(path_, "/", file), word);
}

absl::StatusOr<uint64_t> NumberOf(const std::string& path, absl::string_view word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (!word.empty()) {
      if (fields.empty() || fields[0] != word) continue;
      fields.erase(fields.begin());
    }
    uint64_t number = 0;
    if (!fields.empty() && absl::SimpleAtoi(fields[0], &number)) return number;
  }
  return absl::NotFoundError(absl::StrCat(path, " has no number of \"", word, "\""));
}

}  // namespace kvmsentry
