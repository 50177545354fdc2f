#include "sensor/cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <unistd.h>

namespace kvmsentry {

bool Output::Write(absl::string_view text) {
  while (error_ == 0 && !text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  return error_ == 0;
}

int Output::Finish() const {
  if (error_ == 0 || error_ == EPIPE) return 0;
  fprintf(stderr, "kvmsentry: cannot write the output: %s\n", strerror(error_));
  return 1;
}

}  // namespace kvmsentry
