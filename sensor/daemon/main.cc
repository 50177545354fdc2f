// kvmsentryd: watches the virtual machines of this host through eBPF.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

#include "sensor/alert/disk_journal.h"
#include "sensor/alert/left_open.h"
#include "sensor/alert/memory_journal.h"
#include "sensor/base/escape.h"
#include "sensor/confine/confine.h"
#include "sensor/daemon/end_guard.h"
#include "sensor/daemon/event_loop.h"
#include "sensor/daemon/options.h"
#include "sensor/daemon/outlets.h"
#include "sensor/daemon/ring_size.h"
#include "sensor/daemon/sensor.h"
#include "sensor/daemon/service_manager.h"
#include "sensor/daemon/watchdog.h"
#include "sensor/inventory/cgroup_namespace.h"
#include "sensor/loader/remote_loader.h"
#include "sensor/rpc/server.h"
#include "sensor/spec/library.h"

namespace kvmsentry {
namespace {

// Detaching waits for the programs of each hook, some seconds in all on a busy host.
constexpr std::chrono::seconds kEndWithin{60};
// What the last tick raised still reaches the disk and the subscribers.
constexpr std::chrono::seconds kFlushWithin{2};

SensorOptions OptionsOf(const DaemonOptions& options) {
  SensorOptions sensor;
  sensor.probe.pin_root = options.pin_root;
  sensor.probe.sizes = {
      .max_vms = options.max_vms,
      .max_vcpus = options.max_vcpus,
      .max_queues = options.max_queues,
      .ring_bytes = options.ring_kib != 0 ? options.ring_kib * 1024 : RingBytes(options.max_vms)};
  for (const std::string& hook : options.without_hooks) sensor.probe.variants[hook] = {};
  sensor.cost_budget = options.cost_budget;
  sensor.host = ReadHostFacts();
  if (!options.node.empty()) sensor.host.node = options.node;
  return sensor;
}

void LogStart(const SensorView& view, const DaemonOptions& options) {
  // A cause is said once: where KVM is not loaded, dozens of hooks have the same.
  std::map<std::pair<Lack, std::string>, std::vector<std::string>> causes;
  for (const HookView& hook : view.Status().hooks) {
    if (!Works(hook.coverage)) causes[{hook.lack, hook.reason}].push_back(hook.name);
  }
  for (const auto& [cause, hooks] : causes) {
    spdlog::log(cause.first == Lack::kFailed ? spdlog::level::warn : spdlog::level::info,
                "hooks off or degraded: {}: {}", absl::StrJoin(hooks, ", "), cause.second);
  }
  spdlog::info("kvmsentryd {} serves on {}", KVMSENTRY_VERSION, options.socket);
}

struct LoadedLibrary {
  std::shared_ptr<const SpecLibrary> library;
  std::string sha256;
};

// Problems go out as `kvmsentry spec lint` prints them: a line each, and nothing before it.
absl::StatusOr<LoadedLibrary> LoadLibrary(const std::string& dir) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::vector<SpecSource> sources, ReadSpecFolder(dir));
  SpecLibrary::Result result = SpecLibrary::Parse(sources);
  const auto is_error = [](const Problem& problem) { return !problem.is_warning; };
  const auto errors = std::ranges::count_if(result.problems, is_error);
  for (const Problem& problem : result.problems) {
    std::fprintf(stderr, "%s\n", EscapeAgain(ToString(problem)).c_str());
  }
  if (errors == 0) {
    return LoadedLibrary{std::make_shared<const SpecLibrary>(std::move(result.library)),
                         Sha256Of(sources)};
  }
  return absl::InvalidArgumentError(absl::StrCat("not started: problems in ", dir, ": ", errors));
}

absl::StatusOr<std::unique_ptr<Journal>> OpenJournal(const DaemonOptions& options,
                                                     const Clock& clock) {
  if (options.state_dir.empty()) {
    return std::make_unique<MemoryJournal>(
        static_cast<uint64_t>(absl::ToUnixMillis(clock.WallNow())), options.alerts_kept);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      std::unique_ptr<DiskJournal> journal,
      DiskJournal::Start({.dir = options.state_dir,
                          .capacity = options.alerts_kept,
                          .limits = {.max_bytes = uint64_t{options.journal_mib} << 20,
                                     .max_age = absl::Hours(24) * options.journal_days}},
                         clock));
  const JournalState state = journal->state();
  if (!state.recreated.empty()) {
    spdlog::error("the journal was unreadable, and a new one begins: {}", state.recreated);
  }
  return journal;
}

// Where the daemon still has to write or to remove something.
std::vector<std::string> WrittenFolders(const DaemonOptions& options) {
  std::vector<std::string> folders;
  for (const std::filesystem::path path : {options.socket, options.pin_root, options.json_lines}) {
    if (path.has_parent_path()) folders.push_back(path.parent_path());
  }
  if (!options.state_dir.empty()) folders.push_back(options.state_dir);
  return folders;
}

absl::Status Run(const DaemonOptions& options) {
  if (options.unpin) return Unpin(options.pin_root);
  std::signal(SIGPIPE, SIG_IGN);  // a log's reader that has gone is no reason to end
  KVMSENTRY_RETURN_IF_ERROR(CheckRights());
  SensorOptions sensor_options = OptionsOf(options);
  // Before there is a second thread, or anything of anybody else's was read.
  if (const absl::Status joined = JoinCgroupNamespaceOfHost(); !joined.ok()) {
    spdlog::warn("cgroups are shown relative to this container's: {}",
                 std::string(joined.message()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      std::unique_ptr<RemoteLoader> loader,
      RemoteLoader::Start(sensor_options.probe, BpfSources(), ConfineLoader));
  KVMSENTRY_RETURN_IF_ERROR(ConfineDaemon());
  KVMSENTRY_RETURN_IF_ERROR(BlockSignals());
  KVMSENTRY_ASSIGN_OR_RETURN(const LoadedLibrary loaded, LoadLibrary(options.specs));
  // Before the maps: who is refused here has touched none.
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SocketPlace> place,
                             SocketPlace::Prepare(options.socket));
  const Clock& clock = SystemClock();
  std::optional<EndGuard> guard;  // the last to go: workers and programs end before it
  Pulse pulse;
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal, OpenJournal(options, clock));
  Hub hub(std::move(journal));
  for (const AlertPtr& open : hub.journal().Open()) {
    KVMSENTRY_RETURN_IF_ERROR(hub.Publish(ClearLeftOpen(*open, clock.Now(), clock.WallNow())));
  }
  // Gone before the hub is, and after the sensor that asks them.
  std::optional<Sinks> sinks(std::in_place, options, hub);
  sensor_options.outlet_problem = [&sinks] { return sinks->problem(); };
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::unique_ptr<Sensor> sensor,
      Sensor::Start(sensor_options, std::move(loader), loaded.library, clock, hub, pulse));
  // Who serves strangers from here on writes nowhere else.
  if (const absl::Status confined = ConfineWrites(WrittenFolders(options)); !confined.ok()) {
    if (!absl::IsUnimplemented(confined)) return confined;
    spdlog::info("files are not confined: {}", std::string(confined.message()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      std::unique_ptr<MetricsServer> metrics,
      StartMetrics(options, hub, sensor->view(), pulse, clock, loaded.sha256));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::unique_ptr<Server> server,
                             Server::Start(std::move(place),
                                           {.max_subscribers = options.max_subscribers,
                                            .heartbeat = absl::Seconds(options.heartbeat_seconds)},
                                           hub, sensor->view(), pulse, clock));
  sensor->KeepPins();
  server->SetServing(true);
  const auto serve = [&server, &options](bool serves) {
    server->SetServing(serves);
    // The loop may stand still inside the logger: then this signal ends the process instead.
    alarm(options.watchdog_seconds != 0 ? options.watchdog_seconds + 2
                                        : static_cast<unsigned>(kEndWithin.count()));
    spdlog::warn("the loop {}", serves ? "ticks again" : "does not tick: NOT_SERVING");
    alarm(0);
  };
  const int64_t tick_ns = options.tick_ms * kNsPerMs;
  std::optional<Watchdog> watchdog(
      std::in_place, WatchdogLimits::For(options.watchdog_seconds * kNsPerSecond, tick_ns), pulse,
      clock, Watchdog::Actions{.serve = serve, .end = EndStalled});
  LogStart(sensor->view(), options);
  TellReady();
  UnitWatchdog unit_watchdog;
  absl::Status ended = RunEventLoop(*sensor, tick_ns, [&] { unit_watchdog.Ticked(clock.Now()); });
  TellStopping();
  guard.emplace(kEndWithin, sensor->Busy(), ended.ok() ? 0 : 1);
  watchdog.reset();
  server->SetServing(false);
  hub.journal().Flush(kFlushWithin);
  server->Stop();
  metrics.reset();
  sinks.reset();  // they write what the last tick raised
  spdlog::info("stopped; counts stay in {}", options.pin_root);
  return ended;
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  const kvmsentry::ParsedOptions parsed = kvmsentry::ParseDaemonOptions(argc, argv);
  if (parsed.exit_code) return *parsed.exit_code;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("kvmsentryd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
  if (parsed.options.verbose) spdlog::set_level(spdlog::level::debug);
  const absl::Status status = kvmsentry::Run(parsed.options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "kvmsentryd: %s\n", std::string(status.message()).c_str());
  return 1;
}
