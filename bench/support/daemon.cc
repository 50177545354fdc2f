#include "bench/support/daemon.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "bench/support/pin_root.h"
#include "tests/support/wait.h"

namespace kvmsentry {

absl::StatusOr<Process> StartDaemon(const std::string& socket,
                                    const std::vector<std::string>& options) {
  std::vector<std::string> command = {KVMSENTRYD, "--specs",    KVMSENTRY_SPECS, "--socket",
                                      socket,     "--pin-root", kPinRoot};
  command.insert(command.end(), options.begin(), options.end());
  KVMSENTRY_ASSIGN_OR_RETURN(Process daemon, Process::Start(command));
  if (!WaitUntil([&] { return access(socket.c_str(), F_OK) == 0; })) {
    return absl::DeadlineExceededError(absl::StrCat("kvmsentryd did not start: ", daemon.Errors()));
  }
  return daemon;
}

}  // namespace kvmsentry
