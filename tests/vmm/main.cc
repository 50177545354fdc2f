// kvmsentry-test-vmm: a VM whose guest never runs, and a VMM that does one thing for it.
//
// It never stays behind: a deadline, the death of its parent, and an alarm above both end it.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>

#include "tests/guest/pace.h"
#include "tests/vmm/operation.h"

namespace kvmsentry {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string name;
  std::string drive;
  std::string operation;
  uint64_t count = 0;
  uint64_t rate = 0;
  uint32_t seconds = 60;
};

// Whether a request to end came before UNTIL, which may be past.
bool EndsBefore(Clock::time_point until) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  const auto left = std::max(until - Clock::now(), Clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  return sigtimedwait(&set, nullptr, &time) == SIGTERM;
}

absl::Status Run(const Options& options) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return absl::ErrnoToStatus(errno, "PR_SET_PDEATHSIG");
  KVMSENTRY_ASSIGN_OR_RETURN(const TestMachine machine,
                             TestMachine::Create(kOperationMemory, /*irqchip=*/true));
  KVMSENTRY_ASSIGN_OR_RETURN(const Operation operate, MakeOperation(options.operation, machine));
  std::cout << "ready pid=" << getpid() << std::endl;
  if (std::string line; !std::getline(std::cin, line)) {
    return absl::AbortedError("stdin ended before the newline that it waits for");
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return absl::ErrnoToStatus(errno, "sigprocmask");

  const guest::Pace pace(options.count == 0 ? guest::Pace::kUnlimited : options.count, options.rate,
                         1, 1);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point deadline = begin + std::chrono::seconds(options.seconds);
  uint64_t done = 0;
  bool ends = false;
  while (!ends && pace.NextBatch(done) > 0 && Clock::now() < deadline) {
    KVMSENTRY_RETURN_IF_ERROR(operate());
    ++done;
    ends = EndsBefore(pace.Paced() ? begin + pace.Due(done) : begin);
  }
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  if (!ends) EndsBefore(deadline);
  std::cout << absl::StrFormat(R"({"vcpus":[],"operations":%u,"seconds":%.9f})", done,
                               seconds.count())
            << std::endl;
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("A VM whose guest never runs, and a VMM that does one thing for it.",
               "kvmsentry-test-vmm");
  Options options;
  app.add_option("--name", options.name, "The VM's name, for whoever looks");
  app.add_option("--drive", options.drive, "Has no effect; to be seen, as QEMU's");
  app.add_option("--does", options.operation, "What it does, once stdin has a line")
      ->check(CLI::IsMember(OperationNames()))
      ->required();
  app.add_option("--count", options.count, "So often, and then nothing; 0: no limit");
  app.add_option("--rate", options.rate, "Operations a second, about; 0: as fast as possible")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1'000'000}));
  app.add_option("--seconds", options.seconds, "Ends by then")->check(CLI::Range(1, 3600));
  CLI11_PARSE(app, argc, argv);
  constexpr unsigned kGraceSeconds = 5;
  alarm(options.seconds + kGraceSeconds);
  const absl::Status status = Run(options);
  if (status.ok()) return 0;
  std::cerr << "kvmsentry-test-vmm: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) { return kvmsentry::Main(argc, argv); }
