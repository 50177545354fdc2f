// kvmsentry-test-guest: a KVM guest that does one thing, a known number of times.
//
// It never stays behind: a deadline, the death of its parent, and an alarm above both end it.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"

#include "tests/guest/fleet.h"
#include "tests/guest/handles.h"
#include "tests/guest/options.h"
#include "tests/guest/report.h"
#include "tests/guest/vcpu_task.h"

namespace kvmsentry::guest {
namespace {

constexpr int kSuccess = 0;
constexpr int kFailure = 1;
constexpr int kUsage = 2;

enum class Event { kDeadline, kSignal, kReadable };

// Signals become a file, so that a wait can be for them, for another file and for the deadline at
// once, without a handler. To be called before there are threads: they inherit the mask.
absl::StatusOr<UniqueFd> CatchSignals(bool detach) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (detach) {
    ::signal(SIGHUP, SIG_IGN);  // the terminal's end is not ours
  } else {
    sigaddset(&set, SIGHUP);
  }
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return absl::ErrnoToStatus(errno, "sigprocmask");
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "signalfd");
  return fd;
}

// `fd` may be -1: then it is never readable.
Event WaitFor(int fd, const UniqueFd& signals, Clock::time_point deadline) {
  pollfd fds[] = {{fd, POLLIN, 0}, {signals.get(), POLLIN, 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Event::kDeadline;
    if (::poll(fds, 2, static_cast<int>(left)) <= 0) continue;
    if (fds[1].revents != 0) return Event::kSignal;
    if (fds[0].revents != 0) return Event::kReadable;
  }
}

absl::Status BindLifeToParent(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return absl::ErrnoToStatus(errno, "PR_SET_PDEATHSIG");
  // The parent may have died before the call, and then no signal comes.
  if (::getppid() != parent) return absl::AbortedError("the parent process is gone");
  return absl::OkStatus();
}

// True when the newline came; false when a signal or the deadline came before it.
absl::StatusOr<bool> WaitForNewline(const UniqueFd& signals, Clock::time_point deadline) {
  while (true) {
    if (WaitFor(STDIN_FILENO, signals, deadline) != Event::kReadable) return false;
    char c = 0;
    const ssize_t size = ::read(STDIN_FILENO, &c, 1);
    if (size < 0) return absl::ErrnoToStatus(errno, "reading stdin");
    if (size == 0) return absl::AbortedError("stdin ended before the newline that --wait is for");
    if (c == '\n') return true;
  }
}

// With --count, a run that was ended by its deadline before it did its count is a failure.
absl::Status CheckCount(const Options& options, absl::Span<const VcpuReport> reports) {
  for (const VcpuReport& report : reports) {
    if (report.behaviour == Behaviour::kCalm || report.operations >= options.count) continue;
    return absl::DeadlineExceededError(
        absl::StrFormat("vCPU %u of VM %u did %u of %u operations within --seconds %u", report.vcpu,
                        report.vm, report.operations, options.count, options.seconds));
  }
  return absl::OkStatus();
}

absl::Status Run(const Options& options, Clock::time_point deadline) {
  const absl::StatusOr<UniqueFd> signals = CatchSignals(options.detach);
  if (!signals.ok()) return signals.status();
  absl::StatusOr<std::unique_ptr<Fleet>> created = Fleet::Create(options);
  if (!created.ok()) return created.status();
  Fleet& fleet = **created;

  if (options.wait) {
    std::cout << absl::StrFormat("ready pid=%d vms=%u vcpus=%u", ::getpid(),
                                 options.vms + options.calm_vms, options.vcpus)
              << std::endl;
    const absl::StatusOr<bool> newline = WaitForNewline(*signals, deadline);
    if (!newline.ok()) return newline.status();
    if (!*newline) return absl::AbortedError("ended before the newline that --wait is for");
  }

  fleet.Begin();
  Event event = WaitFor(fleet.DoneFd(), *signals, deadline);
  // Done and calm, or failed: either way Stop() tells, and only the first is worth waiting on.
  if (event == Event::kReadable && options.then == Then::kCalm && !fleet.Failed()) {
    event = WaitFor(-1, *signals, deadline);
  }
  if (absl::Status status = fleet.Stop(); !status.ok()) return status;

  const std::vector<VcpuReport> reports = fleet.Reports();
  if (options.report) {
    std::cout << ReportJson(::getpid(), options.workload.behaviour, reports) << std::endl;
  }
  return event == Event::kDeadline ? CheckCount(options, reports) : absl::OkStatus();
}

int Main(int argc, char** argv) {
  const Clock::time_point start = Clock::now();
  const pid_t parent = ::getppid();
  const absl::StatusOr<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) {
    std::cerr << "kvmsentry-test-guest: " << options.status().message() << "\nSee --help.\n";
    return kUsage;
  }
  if (options->help) {
    std::cout << HelpText();
    return kSuccess;
  }

  // Above the deadline: SIGALRM kills even a process whose vCPU threads never return from KVM_RUN.
  constexpr unsigned kGraceSeconds = 5;
  ::alarm(options->seconds + kGraceSeconds);
  absl::Status status = options->detach ? absl::OkStatus() : BindLifeToParent(parent);
  if (status.ok()) status = Run(*options, start + std::chrono::seconds(options->seconds));
  if (status.ok()) return kSuccess;
  std::cerr << "kvmsentry-test-guest: " << status.message() << "\n";
  return absl::IsInvalidArgument(status) ? kUsage : kFailure;
}

}  // namespace
}  // namespace kvmsentry::guest

int main(int argc, char** argv) { return kvmsentry::guest::Main(argc, argv); }
