// A child process of the test: its lines, its end. It never outlives the test, and only it is ever
// signalled.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "tests/support/wait.h"

namespace kvmsentry {

// Killed and reaped on destruction. Move-only, not thread safe.
class Process {
 public:
  // COMMAND[0] is looked up in PATH. The child dies with the thread that starts it.
  static absl::StatusOr<Process> Start(const std::vector<std::string>& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }

  // To its standard input.
  absl::Status Write(absl::string_view text);
  void CloseInput() { input_.reset(); }

  // The next line of its standard output, without the newline. OUT_OF_RANGE once it has ended.
  absl::StatusOr<std::string> ReadLine(absl::Duration limit = kPatience);

  absl::Status Signal(int signal);

  // Its exit status, or 128 and the signal that ended it.
  absl::StatusOr<int> Wait(absl::Duration limit = kPatience);

  // What it has written to standard error so far.
  std::string Errors() const;

 private:
  Process() = default;

  pid_t pid_ = -1;  // -1 once reaped
  Fd end_;          // pidfd: readable when it has ended
  Fd input_;
  Fd output_;
  Fd errors_;  // a file in memory, so that a child never blocks on it
  std::string unread_;
};

}  // namespace kvmsentry
