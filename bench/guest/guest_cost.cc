// What watching costs a guest, and a process that has nothing to do with any: wall time of their
// operations without a watcher, with kvmsentryd, and with `perf stat` counting the same
// tracepoints, in turns.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

#include "bench/support/daemon.h"
#include "bench/support/pin_root.h"
#include "sensor/probe/pins.h"
#include "tests/support/guest.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

constexpr int kRounds = 7;
constexpr char kHooks[] =
    "kvm:kvm_pio,kvm:kvm_mmio,kvm:kvm_msr,kvm:kvm_userspace_exit,kvm:kvm_exit,kvm:kvm_entry,"
    "raw_syscalls:sys_enter";

enum class Watcher { kNone, kSensor, kPerf };
constexpr Watcher kWatchers[] = {Watcher::kNone, Watcher::kSensor, Watcher::kPerf};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

absl::StatusOr<std::optional<Process>> Watch(Watcher watcher, const std::string& socket) {
  if (watcher == Watcher::kNone) return std::nullopt;
  if (watcher == Watcher::kPerf) {
    KVMSENTRY_ASSIGN_OR_RETURN(Process perf, Process::Start({"perf", "stat", "-a", "-e", kHooks}));
    // It says nothing when it has begun; a guest takes longer to set up.
    return perf;
  }
  return StartDaemon(socket, {"--cost-budget", "0"});
}

// Nanoseconds of one.
using Operation = std::function<absl::StatusOr<double>(uint64_t count)>;

Operation OfAGuest(absl::string_view behaviour) {
  return [behaviour](uint64_t count) -> absl::StatusOr<double> {
    KVMSENTRY_ASSIGN_OR_RETURN(
        const FinishedGuest guest,
        RunGuest(absl::StrFormat("--behaviour %s --count %d --then exit", behaviour, count)));
    return guest.report.seconds * 1e9 / static_cast<double>(guest.report.operations);
  };
}

// The cheapest there is, so that what is added to it shows.
absl::StatusOr<double> SystemCall(uint64_t count) {
  const int64_t begun = absl::GetCurrentTimeNanos();
  for (uint64_t i = 0; i < count; ++i) syscall(SYS_getppid);
  return static_cast<double>(absl::GetCurrentTimeNanos() - begun) / static_cast<double>(count);
}

absl::Status Measure(const char* name, const Operation& operation, uint64_t count) {
  KVMSENTRY_ASSIGN_OR_RETURN(const TempDir folder, TempDir::Make());
  std::vector<double> ns[std::size(kWatchers)];
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < std::size(kWatchers); ++i) {
      KVMSENTRY_ASSIGN_OR_RETURN(std::optional<Process> watcher,
                                 Watch(kWatchers[i], folder / "kvmsentry.sock"));
      KVMSENTRY_ASSIGN_OR_RETURN(const double taken, operation(count));
      ns[i].push_back(taken);
      if (watcher) {
        KVMSENTRY_RETURN_IF_ERROR(watcher->Signal(SIGINT));
        KVMSENTRY_RETURN_IF_ERROR(watcher->Wait().status());
      }
    }
  }
  const double alone = Median(ns[0]);
  const double sensor = Median(ns[1]);
  const double perf = Median(ns[2]);
  std::printf("%-16s %10.0f %10.0f %7.3f %10.0f %7.3f\n", name, alone, sensor, sensor / alone, perf,
              perf / alone);
  return absl::OkStatus();
}

absl::Status Run(uint64_t count) {
  std::printf("%-16s %10s %10s %7s %10s %7s\n", "ns an operation", "alone", "kvmsentryd", "ratio",
              "perf stat", "ratio");
  for (const char* behaviour : {"pio", "mmio", "msr", "userspace-exit", "spin"}) {
    KVMSENTRY_RETURN_IF_ERROR(Measure(behaviour, OfAGuest(behaviour), count));
  }
  // Of a process that is no VMM.
  KVMSENTRY_RETURN_IF_ERROR(Measure("system call", SystemCall, 100 * count));
  std::printf("medians of %d rounds of %lu operations\n", kRounds, count);
  return absl::OkStatus();
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  const uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100000;
  const absl::Status status = kvmsentry::Run(count);
  kvmsentry::Unpin(kvmsentry::kPinRoot).IgnoreError();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_guest_cost: %s\n", std::string(status.message()).c_str());
  return 1;
}
