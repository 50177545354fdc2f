#include "tests/e2e/run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tests/support/process.h"

namespace kvmsentry {

absl::StatusOr<Finished> RunToEnd(const std::vector<std::string>& command) {
  KVMSENTRY_ASSIGN_OR_RETURN(Process process, Process::Start(command));
  Finished finished;
  for (;;) {
    absl::StatusOr<std::string> line = process.ReadLine();
    if (absl::IsOutOfRange(line.status())) break;
    if (!line.ok()) return line.status();
    finished.lines.push_back(*std::move(line));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(finished.exit_code, process.Wait());
  finished.errors = process.Errors();
  return finished;
}

absl::Status RunWell(const std::vector<std::string>& command) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Finished finished, RunToEnd(command));
  if (finished.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(absl::StrJoin(command, " "), ": ", finished.errors));
}

}  // namespace kvmsentry
