#include "tests/e2e/intruder.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

absl::Status Failed(absl::string_view what) { return absl::ErrnoToStatus(errno, what); }

bool HasLine(const std::filesystem::path& file, absl::string_view beginning) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (absl::StartsWith(line, beginning)) return true;
  }
  return false;
}

// THREAD is stopped in a system call: it makes another one, and then its own again.
absl::StatusOr<bool> CloseByStopped(pid_t thread, int fd) {
  constexpr long kSyscall = 0x050f;  // the instruction, of two bytes
  user_regs_struct own{};
  if (ptrace(PTRACE_GETREGS, thread, nullptr, &own) != 0) return Failed("PTRACE_GETREGS");
  const unsigned long long instruction = own.rip - 2;
  const long code = ptrace(PTRACE_PEEKTEXT, thread, instruction, nullptr);
  if ((code & 0xffff) != kSyscall) return false;
  user_regs_struct other = own;
  other.rip = instruction;
  other.rax = SYS_close;
  other.rdi = static_cast<unsigned long long>(fd);
  other.orig_rax = ~0ULL;  // or the kernel would begin its own call anew
  if (ptrace(PTRACE_SETREGS, thread, nullptr, &other) != 0) return Failed("PTRACE_SETREGS");
  if (ptrace(PTRACE_SINGLESTEP, thread, nullptr, nullptr) != 0) return Failed("PTRACE_SINGLESTEP");
  if (waitpid(thread, nullptr, __WALL) != thread) return Failed("waitpid");
  if (ptrace(PTRACE_GETREGS, thread, nullptr, &other) != 0) return Failed("PTRACE_GETREGS");
  if (ptrace(PTRACE_SETREGS, thread, nullptr, &own) != 0) return Failed("PTRACE_SETREGS");
  if (other.rax != 0) return absl::InternalError(absl::StrCat("close returned ", other.rax));
  return true;
}

absl::StatusOr<bool> TryToClose(pid_t thread, int fd) {
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) return Failed("PTRACE_SEIZE");
  const absl::Cleanup let_go = [thread] { ptrace(PTRACE_DETACH, thread, nullptr, nullptr); };
  if (ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) return Failed("PTRACE_INTERRUPT");
  if (waitpid(thread, nullptr, __WALL) != thread) return Failed("waitpid");
  return CloseByStopped(thread, fd);
}

}  // namespace

absl::StatusOr<int> FindDescriptor(pid_t process, absl::string_view beginning) {
  std::set<int> found;
  const std::string folder = absl::StrCat("/proc/", process, "/fdinfo");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    int fd = -1;
    if (absl::SimpleAtoi(entry.path().filename().string(), &fd) &&
        HasLine(entry.path(), beginning)) {
      found.insert(fd);
    }
  }
  if (found.empty()) return absl::NotFoundError(absl::StrCat("no ", beginning, " in ", folder));
  return *found.begin();
}

absl::Status CloseIn(pid_t process, int fd) {
  absl::StatusOr<bool> closed = false;
  WaitUntil([&] {
    closed = TryToClose(process, fd);
    return !closed.ok() || *closed;
  });
  if (!closed.ok()) return closed.status();
  if (*closed) return absl::OkStatus();
  return absl::DeadlineExceededError("the thread is never found in a system call");
}

}  // namespace kvmsentry
