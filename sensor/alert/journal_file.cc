#include "sensor/alert/journal_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

#include "sensor/alert/open_alerts.h"
#include "sensor/alert/record.h"

namespace kvmsentry {
namespace {

constexpr int kVersion = 1;

// Rows are in the order of their positions. `state` has one row: where the stream stands.
constexpr char kSchema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS alerts(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
    "  sequence INTEGER NOT NULL, at_ms INTEGER NOT NULL, record BLOB NOT NULL,"
    "  UNIQUE(epoch, sequence));"
    "CREATE TABLE IF NOT EXISTS open(serial INTEGER, key BLOB, record BLOB NOT NULL,"
    "  PRIMARY KEY(serial, key));"
    "CREATE TABLE IF NOT EXISTS state(id INTEGER PRIMARY KEY CHECK(id = 0), epoch INTEGER NOT NULL,"
    "  sequence INTEGER NOT NULL);"
    "PRAGMA user_version=1;"
    "COMMIT;";

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t Unsigned(int64_t value) { return static_cast<uint64_t>(value); }

}  // namespace

absl::StatusOr<std::unique_ptr<JournalFile>> JournalFile::Connect(const std::string& path,
                                                                  int flags) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection db(opened);
  if (result != SQLITE_OK) return SqliteError(db.get(), path);
  // A reader holds the writer up for moments only, as when the log is begun again.
  sqlite3_busy_timeout(db.get(), 1000);
  return std::unique_ptr<JournalFile>(new JournalFile(path, std::move(db)));
}

absl::StatusOr<std::unique_ptr<JournalFile>> JournalFile::Open(const std::string& path) {
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<JournalFile> file,
                             Connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  KVMSENTRY_RETURN_IF_ERROR(Annotate(file->Prepare(), path));
  return file;
}

absl::StatusOr<std::unique_ptr<JournalFile>> JournalFile::OpenToRead(const std::string& path) {
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<JournalFile> file,
                             Connect(path, SQLITE_OPEN_READWRITE));
  KVMSENTRY_RETURN_IF_ERROR(file->Execute("PRAGMA query_only=1"));
  return file;
}

absl::Status JournalFile::Execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return SqliteError(db_.get(), "journal");
}

absl::Status JournalFile::Prepare() {
  // Only root may read what VMs do; SQLite gives its other files the same mode.
  if (chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return absl::ErrnoToStatus(errno, "chmod");
  KVMSENTRY_RETURN_IF_ERROR(Execute("PRAGMA journal_mode=WAL"));
  KVMSENTRY_RETURN_IF_ERROR(Execute("PRAGMA synchronous=FULL"));
  KVMSENTRY_RETURN_IF_ERROR(Execute("PRAGMA journal_size_limit=4194304"));
  Statement check(db_.get(), "PRAGMA quick_check(1)");
  KVMSENTRY_ASSIGN_OR_RETURN(const bool checked, check.Step());
  if (!checked || check.Bytes(0) != "ok") return absl::DataLossError("damaged");
  Statement version(db_.get(), "PRAGMA user_version");
  KVMSENTRY_ASSIGN_OR_RETURN(const bool has_version, version.Step());
  if (has_version && version.Integer(0) != 0 && version.Integer(0) != kVersion) {
    return absl::DataLossError(absl::StrCat("of version ", version.Integer(0), ", not ", kVersion));
  }
  version.Reset();
  check.Reset();
  KVMSENTRY_RETURN_IF_ERROR(Execute(kSchema));
  struct stat at_path {};
  if (stat(path_.c_str(), &at_path) != 0) return absl::ErrnoToStatus(errno, "stat");
  inode_ = at_path.st_ino;
  Statement sum(db_.get(), "SELECT COALESCE(SUM(LENGTH(record)), 0) FROM alerts");
  KVMSENTRY_RETURN_IF_ERROR(sum.Step().status());
  bytes_ = Unsigned(sum.Integer(0));
  return ReadEpochs();
}

absl::Status JournalFile::ReadEpochs() {
  Statement rows(db_.get(),
                 "SELECT epoch, MIN(sequence), MAX(sequence), COUNT(*) FROM alerts GROUP BY epoch "
                 "ORDER BY epoch");
  std::vector<EpochBounds> epochs;
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    epochs.push_back(
        {Unsigned(rows.Integer(0)), Unsigned(rows.Integer(1)), Unsigned(rows.Integer(2))});
    if (epochs.back().epoch == 0 || epochs.back().oldest == 0 ||
        epochs.back().last - epochs.back().oldest + 1 != Unsigned(rows.Integer(3))) {
      return absl::DataLossError("alerts are missing");
    }
  }
  epochs_ = std::move(epochs);
  return absl::OkStatus();
}

absl::Status JournalFile::MoveAside(const std::string& path) {
  for (const char* const beside : {"-wal", "-shm"}) {
    const std::string file = path + beside;
    if (unlink(file.c_str()) != 0 && errno != ENOENT) return absl::ErrnoToStatus(errno, file);
  }
  const std::string aside = path + ".unreadable";
  if (rename(path.c_str(), aside.c_str()) != 0) return absl::ErrnoToStatus(errno, aside);
  return absl::OkStatus();
}

absl::StatusOr<JournalFile::Contents> JournalFile::ReadContents() {
  Contents contents;
  contents.epochs = epochs_;
  Statement state(db_.get(), "SELECT epoch, sequence FROM state");
  KVMSENTRY_ASSIGN_OR_RETURN(const bool known, state.Step());
  if (known) contents.last = {Unsigned(state.Integer(0)), Unsigned(state.Integer(1))};
  if (!epochs_.empty()) {
    contents.last = std::max(contents.last, Position{epochs_.back().epoch, epochs_.back().last});
  }
  Statement open(db_.get(), "SELECT record FROM open ORDER BY serial, key");
  KVMSENTRY_ASSIGN_OR_RETURN(contents.open, ReadAlerts(open));
  return contents;
}

// A removed file is written without an error, and is gone with the process.
absl::Status JournalFile::CheckPlace() const {
  struct stat at_path {};
  if (stat(path_.c_str(), &at_path) != 0) return absl::ErrnoToStatus(errno, path_);
  if (at_path.st_ino == inode_) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path_, ": the file was replaced"));
}

absl::Status JournalFile::Write(const Batch& batch, const JournalLimits& limits, absl::Time now) {
  KVMSENTRY_RETURN_IF_ERROR(CheckPlace());
  KVMSENTRY_RETURN_IF_ERROR(Annotate(Execute("BEGIN IMMEDIATE"), path_));
  const uint64_t bytes = bytes_;
  const std::vector<EpochBounds> epochs = epochs_;
  absl::Status status = WriteAll(batch);
  if (status.ok()) status = Evict(limits, now);
  if (status.ok()) status = Execute("COMMIT");
  if (status.ok()) return status;
  Execute("ROLLBACK").IgnoreError();  // SQLite may have done so itself
  bytes_ = bytes;
  epochs_ = epochs;
  return Annotate(status, path_);
}

absl::Status JournalFile::WriteAll(const Batch& batch) {
  if (batch.from_empty) {
    KVMSENTRY_RETURN_IF_ERROR(Execute("DELETE FROM alerts"));
    bytes_ = 0;
    epochs_.clear();
  } else if (batch.after != nullptr) {
    Statement remove(db_.get(), "DELETE FROM alerts WHERE (epoch, sequence) > (?, ?)");
    remove.Bind(Signed(batch.after->epoch)).Bind(Signed(batch.after->sequence));
    KVMSENTRY_RETURN_IF_ERROR(remove.Run());
    KVMSENTRY_RETURN_IF_ERROR(ReadEpochs());
  }
  if (batch.all_open != nullptr) KVMSENTRY_RETURN_IF_ERROR(Execute("DELETE FROM open"));
  Statement insert(db_.get(),
                   "INSERT INTO alerts(epoch, sequence, at_ms, record) VALUES(?, ?, ?, ?)");
  Statement open(db_.get(), "INSERT OR REPLACE INTO open(serial, key, record) VALUES(?, ?, ?)");
  Statement cleared(db_.get(), "DELETE FROM open WHERE serial = ? AND key = ?");
  for (const AlertPtr& alert : batch.alerts) {
    const std::string record = EncodeRecord(*alert);
    const Position position = alert->position;
    insert.Bind(Signed(position.epoch)).Bind(Signed(position.sequence));
    KVMSENTRY_RETURN_IF_ERROR(insert.Bind(absl::ToUnixMillis(alert->at)).Bind(record).Run());
    bytes_ += record.size();
    if (epochs_.empty() || epochs_.back().epoch != position.epoch) {
      epochs_.push_back({position.epoch, position.sequence, position.sequence});
    }
    epochs_.back().last = position.sequence;
    if (batch.all_open != nullptr) continue;
    const auto [serial, key] = IdOf(alert->event);
    if (alert->event.state == AlertState::kCleared) {
      KVMSENTRY_RETURN_IF_ERROR(cleared.Bind(Signed(serial)).Bind(key).Run());
    } else {
      KVMSENTRY_RETURN_IF_ERROR(open.Bind(Signed(serial)).Bind(key).Bind(record).Run());
    }
  }
  if (batch.all_open != nullptr) {
    for (const AlertPtr& alert : *batch.all_open) {
      const std::string record = EncodeRecord(*alert);
      const auto [serial, key] = IdOf(alert->event);
      KVMSENTRY_RETURN_IF_ERROR(open.Bind(Signed(serial)).Bind(key).Bind(record).Run());
    }
  }
  if (batch.alerts.empty()) return absl::OkStatus();
  Statement state(db_.get(), "INSERT OR REPLACE INTO state(id, epoch, sequence) VALUES(0, ?, ?)");
  const Position last = batch.alerts.back()->position;
  return state.Bind(Signed(last.epoch)).Bind(Signed(last.sequence)).Run();
}

absl::Status JournalFile::Evict(const JournalLimits& limits, absl::Time now) {
  // Some more than must go, so that it is not done at every write.
  const uint64_t least =
      bytes_ > limits.max_bytes ? bytes_ - limits.max_bytes + limits.max_bytes / 64 : 0;
  const int64_t oldest_ms = absl::ToUnixMillis(now - limits.max_age);
  Statement rows(db_.get(),
                 "SELECT id, at_ms, LENGTH(record), epoch, sequence FROM alerts ORDER BY id");
  uint64_t freed = 0;
  int64_t last_id = -1;
  Position last;
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row || (freed >= least && rows.Integer(1) >= oldest_ms)) break;
    freed += Unsigned(rows.Integer(2));
    last_id = rows.Integer(0);
    last = {Unsigned(rows.Integer(3)), Unsigned(rows.Integer(4))};
  }
  rows.Reset();
  if (last_id < 0) return absl::OkStatus();
  Statement remove(db_.get(), "DELETE FROM alerts WHERE id <= ?");
  KVMSENTRY_RETURN_IF_ERROR(remove.Bind(last_id).Run());
  bytes_ -= std::min(freed, bytes_);
  std::erase_if(epochs_, [last](const EpochBounds& epoch) {
    return Position{epoch.epoch, epoch.last} <= last;
  });
  if (!epochs_.empty() && epochs_.front().epoch == last.epoch) {
    epochs_.front().oldest = last.sequence + 1;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AlertPtr>> JournalFile::ReadAlerts(Statement& rows) const {
  std::vector<AlertPtr> alerts;
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return alerts;
    KVMSENTRY_ASSIGN_OR_RETURN(JournaledAlert alert, DecodeRecord(rows.Bytes(0)));
    alerts.push_back(std::make_shared<const JournaledAlert>(std::move(alert)));
  }
}

absl::StatusOr<std::vector<AlertPtr>> JournalFile::Read(Position after, size_t max) {
  Statement rows(db_.get(),
                 "SELECT record FROM alerts WHERE epoch = ? AND sequence > ? ORDER BY sequence "
                 "LIMIT ?");
  rows.Bind(Signed(after.epoch)).Bind(Signed(after.sequence)).Bind(Signed(max));
  return ReadAlerts(rows);
}

absl::StatusOr<std::vector<AlertPtr>> JournalFile::ReadBefore(Position before, size_t max) {
  Statement rows(db_.get(),
                 "SELECT record FROM alerts WHERE (epoch, sequence) < (?, ?) "
                 "ORDER BY epoch DESC, sequence DESC LIMIT ?");
  rows.Bind(Signed(before.epoch)).Bind(Signed(before.sequence)).Bind(Signed(max));
  return ReadAlerts(rows);
}

}  // namespace kvmsentry
