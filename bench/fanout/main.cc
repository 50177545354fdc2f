// Many subscribers of a busy stream, some of which do not read: what they get, and what the server
// takes for it. The journal is on disk, as the daemon's.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "CLI/CLI.hpp"

#include "bench/fanout/clients.h"
#include "bench/support/process_use.h"
#include "sensor/alert/disk_journal.h"
#include "sensor/alert/hub.h"
#include "sensor/rpc/server.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using std::chrono::steady_clock;

struct Load {
  int subscribers = 990;
  int stalled = 10;
  uint32_t rate = 1000;
  uint32_t seconds = 3;
};

class NoView final : public SensorView {
 public:
  SensorStatus Status() const override { return {}; }
  std::vector<VmView> Vms(bool) const override { return {}; }
  std::vector<SpecView> Specs() const override { return {}; }
  std::optional<MembersView> Members(VmId) const override { return std::nullopt; }
};

JournaledAlert Alert(uint32_t number) {
  JournaledAlert alert;
  alert.at = alert.opened_at = absl::Now();
  AlertEvent& event = alert.event;
  event.key = absl::StrCat("pio-storm/web-", number % 100);
  event.state = number / 100 % 2 == 0 ? AlertState::kOpen : AlertState::kCleared;
  event.severity = Severity::kWarning;
  event.spec_id = "pio-storm";
  event.vm.name = absl::StrCat("web-", number % 100);
  event.summary = std::string(120, 's');
  event.why = std::string(120, 'w');
  event.look_at = std::string(120, 'l');
  event.evidence["last_port"] = "port 0x3f5 (fdc-fifo)";
  return alert;
}

int Child(const std::string& socket, const Load& load, int go, int ready) {
  char ignored = 0;
  if (read(go, &ignored, 1) != 1) return 1;
  const uint64_t last = uint64_t{load.rate} * load.seconds;
  const ClientsReport report = RunClients(socket, load.subscribers, load.stalled, last, ready);
  std::printf("received        %lu alerts by %d subscribers that read, %d that do not\n",
              report.alerts, load.subscribers, load.stalled);
  std::printf("missing %lu, double %lu, gaps %lu\n", report.missing, report.doubles, report.gaps);
  std::printf("all had all     %.1f s after the first alert\n", report.last_seconds);
  return report.missing + report.doubles + report.gaps == 0 ? 0 : 1;
}

absl::Status Serve(const TempDir& dir, const std::string& socket, const Load& load, int go,
                   int ready, pid_t child) {
  const Clock& clock = SystemClock();
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal,
                             DiskJournal::Start({.dir = dir / "state"}, clock));
  Hub hub(std::move(journal));
  Pulse pulse;
  pulse.Tick(clock);
  NoView view;
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SocketPlace> place, SocketPlace::Prepare(socket));
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::unique_ptr<Server> server,
      Server::Start(std::move(place),
                    {.max_subscribers = 4096,
                     .access = {.max_connections = 4096, .max_requests = 0, .max_open_calls = 0}},
                    hub, view, pulse, clock));
  char byte = 'g';
  if (write(go, &byte, 1) != 1 || read(ready, &byte, 1) != 1) {
    return absl::ErrnoToStatus(errno, "the clients");
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const double before, ResidentMib(getpid()));
  double most = before;
  const auto look = [&most] { most = std::max(most, ResidentMib(getpid()).value_or(most)); };
  const auto begun = steady_clock::now();
  double slowest_us = 0;
  for (uint32_t i = 0; i < load.rate * load.seconds; ++i) {
    std::this_thread::sleep_until(begun + std::chrono::nanoseconds(1'000'000'000) * i / load.rate);
    const auto start = steady_clock::now();
    KVMSENTRY_RETURN_IF_ERROR(hub.Publish(Alert(i)));
    slowest_us = std::max(
        slowest_us, std::chrono::duration<double, std::micro>(steady_clock::now() - start).count());
    if (i % 100 == 0) look();
  }
  const double published = std::chrono::duration<double>(steady_clock::now() - begun).count();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    look();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::printf("published       %u alerts in %.1f s; the slowest took %.0f us of its caller\n",
              load.rate * load.seconds, published, slowest_us);
  KVMSENTRY_ASSIGN_OR_RETURN(const double cpu, CpuSeconds(getpid()));
  std::printf("server          %.1f s of CPU time; %.0f MiB before, %.0f MiB at most\n", cpu,
              before, most);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError("a subscriber has not got each alert once");
}

absl::Status Run(const Load& load) {
  KVMSENTRY_ASSIGN_OR_RETURN(const TempDir dir, TempDir::Make());
  const std::string socket = dir / "s.sock";
  int go[2], ready[2];
  if (pipe(go) != 0 || pipe(ready) != 0) return absl::ErrnoToStatus(errno, "pipe");
  // Before either has threads.
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    const int code = Child(socket, load, go[0], ready[1]);
    std::fflush(stdout);
    _exit(code);
  }
  return Serve(dir, socket, load, go[1], ready[0], child);
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  CLI::App app("Many subscribers of a busy stream");
  kvmsentry::Load load;
  app.add_option("--subscribers", load.subscribers, "that read")->capture_default_str();
  app.add_option("--stalled", load.stalled, "that do not")->capture_default_str();
  app.add_option("--rate", load.rate, "alerts a second")->capture_default_str();
  app.add_option("--seconds", load.seconds, "for so long")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = kvmsentry::Run(load);
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_fanout: %s\n", std::string(status.message()).c_str());
  return 1;
}
