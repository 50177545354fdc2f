#include "sensor/alert/journal_folder.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace kvmsentry {
namespace {

absl::Status OpenOnce(const std::string& path, OpenedJournal& opened) {
  opened.file = JournalFile::Open(path);
  if (!opened.file.ok()) return opened.file.status();
  auto contents = (*opened.file)->ReadContents();
  if (!contents.ok()) return contents.status();
  opened.contents = *std::move(contents);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Fd> LockJournalFolder(const std::string& dir) {
  if (mkdir(dir.c_str(), S_IRWXU) != 0 && errno != EEXIST) return Fd();
  Fd folder(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Fd();
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(absl::StrCat(
        dir,
        ": another kvmsentryd keeps its journal there; stop it or choose another --state-dir"));
  }
  return folder;
}

OpenedJournal OpenOrRecreate(const std::string& path) {
  OpenedJournal opened{.file = absl::UnknownError("")};
  absl::Status status = OpenOnce(path, opened);
  if (absl::IsDataLoss(status)) {
    opened.recreated = absl::StrCat(status.message(), "; moved to ", path, ".unreadable");
    opened.file = status;  // closed before it is moved
    status = JournalFile::MoveAside(path);
    if (status.ok()) status = OpenOnce(path, opened);
  }
  if (!status.ok()) opened.file = status;
  return opened;
}

}  // namespace kvmsentry
