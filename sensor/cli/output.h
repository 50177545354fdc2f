// Standard output, line by line: what is written is seen at once, by a pipe too.
#pragma once

#include "absl/strings/string_view.h"

namespace kvmsentry {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  // Writes all of TEXT, at once. False if that is not possible, now and from then on.
  bool Write(absl::string_view text);

  // The exit code that the end of the command means: 0 if all was written or the reader had
  // enough (a closed pipe); else 1, and the reason goes to standard error.
  int Finish() const;

 private:
  int fd_;
  int error_ = 0;  // errno
};

}  // namespace kvmsentry
