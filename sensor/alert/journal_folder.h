// The folder of a journal on disk: held by one process, its file opened, or made again where
// it is damaged.
#pragma once

#include <memory>
#include <string>

#include "sensor/alert/journal_file.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// DIR, made where it is missing, locked for this process. None, and no error, where there can be no
// lock, as on a file system that is read-only; FAILED_PRECONDITION where another process has it.
absl::StatusOr<Fd> LockJournalFolder(const std::string& dir);

struct OpenedJournal {
  absl::StatusOr<std::unique_ptr<JournalFile>> file;
  JournalFile::Contents contents = {};
  std::string recreated = {};  // why the file was moved aside, and where to; empty: it was not
};

// The file at PATH. One that is damaged is moved aside, and a new one made.
OpenedJournal OpenOrRecreate(const std::string& path);

}  // namespace kvmsentry
