// What the daemon itself uses, with the shipped specs, of a processor and of memory: without a VM,
// and beside raw KVM guests that are calm or at work. Needs root and /dev/kvm.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "bench/support/daemon.h"
#include "bench/support/pin_root.h"
#include "bench/support/process_use.h"
#include "sensor/probe/pins.h"
#include "tests/e2e/cli.h"
#include "tests/support/guest.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

// Long enough to hold what is done but every half a minute, such as reading again what VMs were
// given.
constexpr absl::Duration kMeasured = absl::Seconds(30);
// Programs and tables are loaded, and all that is read of each VM when it comes has been.
constexpr absl::Duration kSettled = absl::Seconds(30);

absl::Status Report(const char* what, pid_t daemon) {
  absl::SleepFor(kSettled);
  KVMSENTRY_ASSIGN_OR_RETURN(const double before, CpuSeconds(daemon));
  const absl::Time begun = absl::Now();
  absl::SleepFor(kMeasured);
  KVMSENTRY_ASSIGN_OR_RETURN(const double after, CpuSeconds(daemon));
  const double percent = 100 * (after - before) / absl::ToDoubleSeconds(absl::Now() - begun);
  KVMSENTRY_ASSIGN_OR_RETURN(const double mib, ResidentMib(daemon));
  std::printf("%-32s %8.2f %8.1f\n", what, percent, mib);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Guest>> StartGuests(int count, absl::string_view options) {
  std::vector<Guest> guests;
  for (int i = 0; i < count; ++i) {
    KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, Guest::Start(absl::StrCat("--name bench-", i, " ",
                                                                      options, " --seconds 1800")));
    guests.push_back(std::move(guest));
  }
  for (Guest& guest : guests) KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
  return guests;
}

absl::Status WithGuests(const char* what, int count, absl::string_view options, const Cli& cli,
                        pid_t daemon) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::vector<Guest> guests, StartGuests(count, options));
  const auto listed = [&] {
    return cli.Vms("bench-*").value_or(std::vector<v1::VmStatus>()).size() ==
           static_cast<size_t>(count);
  };
  if (!WaitUntil(listed)) return absl::DeadlineExceededError("not all guests are listed");
  return Report(absl::StrCat(count, " guests, ", what).c_str(), daemon);
}

absl::Status Run(int guests, const std::string& max_vms) {
  KVMSENTRY_ASSIGN_OR_RETURN(const TempDir folder, TempDir::Make());
  const std::string socket = folder / "kvmsentry.sock";
  KVMSENTRY_ASSIGN_OR_RETURN(Process daemon, StartDaemon(socket, {"--max-vms", max_vms}));
  std::printf("%-32s %8s %8s\n", absl::StrCat("--max-vms ", max_vms).c_str(), "% of CPU", "MiB");
  KVMSENTRY_RETURN_IF_ERROR(Report("no guest", daemon.pid()));
  const Cli cli(socket);
  const pid_t pid = daemon.pid();
  KVMSENTRY_RETURN_IF_ERROR(
      WithGuests("10 port accesses/s each", guests, "--behaviour pio --rate 10", cli, pid));
  // Each halts a hundred times a second: a thousand of them fill an emulated processor.
  KVMSENTRY_RETURN_IF_ERROR(WithGuests("calm", guests, "--behaviour calm", cli, pid));
  KVMSENTRY_RETURN_IF_ERROR(daemon.Signal(SIGINT));
  return daemon.Wait().status();
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  const int guests = argc > 1 ? std::atoi(argv[1]) : 1000;
  const std::string max_vms = argc > 2 ? argv[2] : "1024";
  // Each guest holds some descriptors here.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const absl::Status status = kvmsentry::Run(guests, max_vms);
  kvmsentry::Unpin(kvmsentry::kPinRoot).IgnoreError();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_daemon_cost: %s\n", std::string(status.message()).c_str());
  return 1;
}
