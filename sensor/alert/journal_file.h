// The journal's file: a SQLite database in WAL mode.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "absl/time/time.h"

#include "sensor/alert/journal.h"
#include "sensor/alert/sqlite.h"
#include "sensor/base/status.h"

namespace kvmsentry {

struct JournalLimits {
  uint64_t max_bytes = uint64_t{64} << 20;  // of the alerts; the file takes some tenths more
  absl::Duration max_age = absl::Hours(24 * 30);
};

// Used by one thread at a time; several may each have one of the same path. Every call may wait for
// the disk. Errors are those of SqliteError.
class JournalFile {
 public:
  // Makes the file where there is none. DATA_LOSS where it is damaged, or of another version:
  // MoveAside() it.
  static absl::StatusOr<std::unique_ptr<JournalFile>> Open(const std::string& path);
  // The same for reading alone: quick, and makes nothing.
  static absl::StatusOr<std::unique_ptr<JournalFile>> OpenToRead(const std::string& path);
  // Renames it to PATH.unreadable, in the place of one from before.
  static absl::Status MoveAside(const std::string& path);

  struct Contents {
    Position last;  // epoch 0: the file is new
    std::vector<EpochBounds> epochs;
    std::vector<AlertPtr> open;
  };
  absl::StatusOr<Contents> ReadContents();

  struct Batch {
    std::span<const AlertPtr> alerts;                 // they follow what is there
    const std::vector<AlertPtr>* all_open = nullptr;  // replaces what the file knows to be open
    const Position* after = nullptr;                  // what the file has after it is removed first
    bool from_empty = false;                          // all that the file has is removed first
  };
  // Writes all of it, durable when it returns, or nothing. Then evicts the oldest by LIMITS. NOW is
  // of the wall clock.
  absl::Status Write(const Batch& batch, const JournalLimits& limits, absl::Time now);

  // What is kept, by the last Write or ReadContents.
  const std::vector<EpochBounds>& epochs() const { return epochs_; }
  uint64_t bytes() const { return bytes_; }

  // Of AFTER's epoch, at most MAX alerts after it.
  absl::StatusOr<std::vector<AlertPtr>> Read(Position after, size_t max);
  // At most MAX before BEFORE, the newest first.
  absl::StatusOr<std::vector<AlertPtr>> ReadBefore(Position before, size_t max);

 private:
  using Connection = std::unique_ptr<sqlite3, CloseSqlite>;
  JournalFile(std::string path, Connection db) : path_(std::move(path)), db_(std::move(db)) {}

  static absl::StatusOr<std::unique_ptr<JournalFile>> Connect(const std::string& path, int flags);
  absl::Status Prepare();
  absl::Status Execute(const char* sql);
  absl::Status CheckPlace() const;
  absl::Status WriteAll(const Batch& batch);
  absl::Status Evict(const JournalLimits& limits, absl::Time now);
  absl::Status ReadEpochs();
  absl::StatusOr<std::vector<AlertPtr>> ReadAlerts(Statement& rows) const;

  const std::string path_;
  Connection db_;
  ino_t inode_ = 0;
  std::vector<EpochBounds> epochs_;
  uint64_t bytes_ = 0;
};

}  // namespace kvmsentry
