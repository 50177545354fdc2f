#include "tests/support/child.h"

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

bool ReadByte(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) == 1;
}

bool WriteByte(int fd) { return write(fd, "", 1) == 1; }

// clone3(2); set_tid is of Linux 5.5.
pid_t ForkAs(pid_t pid) {
  if (pid == 0) return fork();
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = std::bit_cast<uint64_t>(&pid);
  arguments.set_tid_size = 1;
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

}  // namespace

absl::StatusOr<Child> Child::Fork(const std::function<absl::Status(const Pause&)>& body, pid_t as) {
  int up[2];
  int down[2];
  if (pipe2(up, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  Fd from(up[0]);
  Fd to_parent(up[1]);
  if (pipe2(down, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  Fd from_parent(down[0]);
  Fd to(down[1]);
  const pid_t pid = ForkAs(as);
  if (pid < 0) return absl::ErrnoToStatus(errno, absl::StrCat("fork as process ", as));
  if (pid > 0) return Child(pid, std::move(from), std::move(to));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  from.reset();
  to.reset();
  const absl::Status status = body([&] {
    if (!WriteByte(to_parent.get()) || !ReadByte(from_parent.get())) _exit(3);
  });
  if (!status.ok()) std::fprintf(stderr, "child: %s\n", status.ToString().c_str());
  _exit(status.ok() ? 0 : 1);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      from_(std::move(other.from_)),
      to_(std::move(other.to_)) {}

Child::~Child() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

absl::Status Child::AwaitPause() {
  pollfd waiting{.fd = from_.get(), .events = POLLIN, .revents = 0};
  const auto limit = static_cast<int>(absl::ToInt64Milliseconds(kPatience));
  if (poll(&waiting, 1, limit) != 1) return absl::DeadlineExceededError("the child does not pause");
  if (!ReadByte(from_.get())) return absl::OutOfRangeError("the child has ended");
  return absl::OkStatus();
}

absl::Status Child::Continue() {
  if (!WriteByte(to_.get())) return absl::ErrnoToStatus(errno, "letting the child go on");
  return absl::OkStatus();
}

absl::Status Child::Finish() {
  KVMSENTRY_RETURN_IF_ERROR(Continue());
  return AwaitEnd();
}

absl::Status Child::AwaitEnd() {
  int status = 0;
  const bool ended = WaitUntil([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  if (!ended) return absl::DeadlineExceededError("the child does not end");
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the child ended with status ", status));
}

}  // namespace kvmsentry
