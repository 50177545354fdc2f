// SQLite, with errors as statuses. One statement or connection is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sqlite3.h>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

struct CloseSqlite {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// DATA_LOSS where the file is damaged or no database, RESOURCE_EXHAUSTED where the disk is full,
// else UNAVAILABLE. CONTEXT names the file.
absl::Status SqliteError(sqlite3* db, absl::string_view context);

// A statement with its values bound, not copied: they outlive its run. No text of anybody ever
// becomes SQL.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql);

  Statement& Bind(int64_t value);
  Statement& Bind(absl::string_view bytes);

  // Runs it from its start to the next row. False: there is none. Values are bound again after
  // Reset.
  absl::StatusOr<bool> Step();
  // Runs it to its end, and makes it ready to be bound again.
  absl::Status Run();
  void Reset();

  int64_t Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  // Until the next step.
  absl::string_view Bytes(int column) const;

 private:
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, CloseSqlite> statement_;
  int bound_ = 0;
};

}  // namespace kvmsentry
