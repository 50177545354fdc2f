// Operations that are one act of the VMM's, or of a child's of it, once the guest has begun.
#pragma once

#include <cerrno>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vmm/vcpu.h"

namespace kvmsentry {

inline bool RunProgram() {
  execl("/bin/true", "true", nullptr);
  return false;
}

// As a process does that was not told otherwise.
inline void TakeSignals() {
  signal(SIGTERM, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// ACT in a child, which ends after it with success if that returns true.
template <typename Act>
absl::Status InChild(Act act) {
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);  // faults leave no core
    TakeSignals();
    _exit(act() ? 0 : 1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return absl::ErrnoToStatus(errno, "waitpid");
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return absl::InternalError("a child could not do what it should");
  }
  return absl::OkStatus();
}

template <bool (*kAct)()>
absl::StatusOr<Operation> Begun(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] { return InChild(kAct); };
}

template <bool (*kAct)()>
absl::StatusOr<Operation> Itself(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] {
    return kAct() ? absl::OkStatus() : absl::ErrnoToStatus(errno, "what the VMM should do");
  };
}

}  // namespace kvmsentry
