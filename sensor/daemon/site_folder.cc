// The files are written into a folder of their own, with a list of their names. Renaming that to
// kCommitted is the moment from which they count: after it, files are only moved to their places
// and others removed, which may be done again from any point.
#include "sensor/daemon/site_folder.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

#include "sensor/base/durable_file.h"
#include "sensor/inventory/files.h"
#include "sensor/spec/layers.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

constexpr char kCommitted[] = ".applying";
constexpr char kStarted[] = ".new-";
constexpr char kNames[] = ".names";
constexpr size_t kMaxNamesBytes = size_t{1} << 20;
constexpr mode_t kFileMode = 0644;  // who lints it is not the daemon

absl::Status CannotWrite(const std::string& dir, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write ", dir, ": ", strerror(error),
                   "; let the daemon write there (systemctl edit kvmsentry: ReadWritePaths=", dir,
                   ", and chown the folder to its user), or put the files there yourself: they are "
                   "loaded then"));
}

absl::Status Prepare(const std::string& folder, const std::vector<SiteFile>& files) {
  std::string names;
  for (const SiteFile& file : files) {
    KVMSENTRY_RETURN_IF_ERROR(
        WriteDurably(absl::StrCat(folder, "/", file.name), file.text, kFileMode, IfThere::kFail));
    absl::StrAppend(&names, file.name, "\n");
  }
  KVMSENTRY_RETURN_IF_ERROR(
      WriteDurably(absl::StrCat(folder, "/", kNames), names, kFileMode, IfThere::kFail));
  return Sync(folder);
}

void RemoveStarted(const std::string& dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    if (!absl::StartsWith(entry.path().filename().native(), kStarted)) continue;
    fs::remove_all(entry.path(), ignored);
  }
}

// Of a folder that Kubernetes mounts, the files are links into ..data.
bool IsMountedConfig(const std::string& dir) {
  struct stat info {};
  return lstat(absl::StrCat(dir, "/..data").c_str(), &info) == 0;
}

absl::Status CheckPlaces(const std::string& dir, const std::vector<SiteFile>& files) {
  for (const SiteFile& file : files) {
    std::error_code ignored;
    const std::string path = absl::StrCat(dir, "/", file.name);
    if (fs::is_directory(fs::symlink_status(path, ignored))) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is a folder; remove it, or choose another name"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteSiteFolder(const std::string& dir, const std::vector<SiteFile>& files) {
  if (dir.empty()) {
    return absl::FailedPreconditionError(
        "there is no site's folder; start kvmsentryd with --site-specs DIR");
  }
  if (IsMountedConfig(dir)) {
    return absl::FailedPreconditionError(absl::StrCat(
        dir, " is a mounted ConfigMap; change that: kubectl edit configmap, and it is loaded"));
  }
  if (mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) return CannotWrite(dir, errno);
  KVMSENTRY_RETURN_IF_ERROR(FinishSiteWrite(dir));
  KVMSENTRY_RETURN_IF_ERROR(CheckPlaces(dir, files));
  std::string started = absl::StrCat(dir, "/", kStarted, "XXXXXX");
  if (mkdtemp(started.data()) == nullptr) return CannotWrite(dir, errno);
  absl::Status prepared = Prepare(started, files);
  if (prepared.ok() && rename(started.c_str(), absl::StrCat(dir, "/", kCommitted).c_str()) != 0) {
    prepared = absl::ErrnoToStatus(errno, absl::StrCat("rename ", started));
  }
  if (!prepared.ok()) {
    RemoveStarted(dir);
    return absl::FailedPreconditionError(prepared.message());
  }
  KVMSENTRY_RETURN_IF_ERROR(Sync(dir));
  return FinishSiteWrite(dir);
}

absl::Status FinishSiteWrite(const std::string& dir) {
  if (dir.empty()) return absl::OkStatus();
  const std::string committed = absl::StrCat(dir, "/", kCommitted);
  const std::string list = absl::StrCat(committed, "/", kNames);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(committed, error))) {
    RemoveStarted(dir);
    return absl::OkStatus();
  }
  const auto text = ReadFileAt(AT_FDCWD, list, kMaxNamesBytes);
  if (absl::IsNotFound(text.status())) {  // all was done but to remove the folder
    rmdir(committed.c_str());
    return absl::OkStatus();
  }
  if (!text.ok()) return text.status();
  const std::set<std::string> names = absl::StrSplit(*text, '\n', absl::SkipEmpty());
  for (const std::string& name : names) {
    const std::string from = absl::StrCat(committed, "/", name);
    const std::string to = absl::StrCat(dir, "/", name);
    if (rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, absl::StrCat("rename ", from, " to ", to));
    }
  }
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename();
    if (!IsSpecFileName(name) || names.contains(name)) continue;
    if (unlink(entry.path().c_str()) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("remove ", entry.path().native()));
    }
  }
  KVMSENTRY_RETURN_IF_ERROR(Sync(dir));
  unlink(list.c_str());
  rmdir(committed.c_str());
  return absl::OkStatus();
}

}  // namespace kvmsentry
