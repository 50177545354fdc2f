#include "sensor/alert/sqlite.h"

#include <cstring>

namespace kvmsentry {

absl::Status SqliteError(sqlite3* db, absl::string_view context) {
  const int error = db == nullptr ? SQLITE_NOMEM : sqlite3_errcode(db);
  const int cause = db == nullptr ? 0 : sqlite3_system_errno(db);
  const bool is_io = error == SQLITE_IOERR || error == SQLITE_CANTOPEN;
  const std::string text =
      absl::StrCat(context, ": ", is_io && cause != 0 ? strerror(cause) : sqlite3_errstr(error));
  switch (error) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

Statement::Statement(sqlite3* db, const char* sql) : db_(db) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::Bind(int64_t value) {
  sqlite3_bind_int64(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::Bind(absl::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (statement_ == nullptr) return SqliteError(db_, "journal");
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteError(db_, "journal");
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
}

absl::string_view Statement::Bytes(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const char*>(bytes),
          static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace kvmsentry
