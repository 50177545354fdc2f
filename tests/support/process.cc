#include "tests/support/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/time/clock.h"

namespace kvmsentry {
namespace {

absl::Status WaitReadable(const Fd& fd, absl::Time deadline, absl::string_view what) {
  for (;;) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    pollfd wait{fd.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
    if (ready == 0 && left <= 0) return absl::DeadlineExceededError(what);
  }
}

// Only what is safe between fork and exec.
[[noreturn]] void Become(const std::vector<char*>& arguments, const std::array<int, 3>& standard) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int fd = 0; fd < 3; ++fd) dup2(standard[static_cast<size_t>(fd)], fd);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

absl::StatusOr<Process> Process::Start(const std::vector<std::string>& command) {
  Process process;
  int input[2];  // a socket, for a write to a child that is gone must be no SIGPIPE
  int output[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  process.input_ = Fd(input[0]);
  const Fd child_input(input[1]);
  if (pipe2(output, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe2");
  process.output_ = Fd(output[0]);
  const Fd child_output(output[1]);
  process.errors_ = Fd(memfd_create("errors", MFD_CLOEXEC));
  if (!process.errors_) return absl::ErrnoToStatus(errno, "memfd_create");

  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    Become(arguments, {child_input.get(), child_output.get(), process.errors_.get()});
  }
  process.pid_ = pid;
  // Not glibc's wrapper: in Debian 12 its header is not fit for C++.
  process.end_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.end_) return absl::ErrnoToStatus(errno, "pidfd_open");
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      end_(std::move(other.end_)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      unread_(std::move(other.unread_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(end_, other.end_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  std::swap(errors_, other.errors_);
  std::swap(unread_, other.unread_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

absl::Status Process::Write(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(input_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return absl::ErrnoToStatus(errno, "writing to a child's standard input");
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Process::ReadLine(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  for (;;) {
    if (const size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    KVMSENTRY_RETURN_IF_ERROR(WaitReadable(output_, deadline, "no line from a child"));
    char buffer[4096];
    const ssize_t got = read(output_.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "reading a child's standard output");
    if (got == 0) return absl::OutOfRangeError(absl::StrCat("a child's output ended: ", Errors()));
    unread_.append(buffer, static_cast<size_t>(got));
  }
}

absl::Status Process::Signal(int signal) {
  if (pid_ < 0) return absl::FailedPreconditionError("the child has ended");
  if (kill(pid_, signal) != 0) return absl::ErrnoToStatus(errno, "kill");
  return absl::OkStatus();
}

absl::StatusOr<int> Process::Wait(absl::Duration limit) {
  if (pid_ < 0) return absl::FailedPreconditionError("the child was waited for already");
  KVMSENTRY_RETURN_IF_ERROR(WaitReadable(end_, absl::Now() + limit, "a child does not end"));
  int status = 0;
  if (waitpid(std::exchange(pid_, -1), &status, 0) < 0) {
    return absl::ErrnoToStatus(errno, "waitpid");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Process::Errors() const {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got =
        pread(errors_.get(), buffer, sizeof(buffer), static_cast<off_t>(text.size()));
    if (got <= 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace kvmsentry
