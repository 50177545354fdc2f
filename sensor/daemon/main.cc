// kvmsentryd: watches the virtual machines of this host through eBPF.
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

#include <malloc.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/sinks/systemd_sink.h"
#include "spdlog/spdlog.h"

#include "sensor/alert/disk_journal.h"
#include "sensor/alert/left_open.h"
#include "sensor/alert/memory_journal.h"
#include "sensor/alert/silence_book.h"
#include "sensor/base/escape.h"
#include "sensor/base/file_limit.h"
#include "sensor/base/sanitized.h"
#include "sensor/confine/confine.h"
#include "sensor/daemon/end_guard.h"
#include "sensor/daemon/event_loop.h"
#include "sensor/daemon/options.h"
#include "sensor/daemon/outlets.h"
#include "sensor/daemon/ring_size.h"
#include "sensor/daemon/sensor.h"
#include "sensor/daemon/service_manager.h"
#include "sensor/daemon/site_folder.h"
#include "sensor/daemon/spec_loader.h"
#include "sensor/daemon/watchdog.h"
#include "sensor/inventory/cgroup_namespace.h"
#include "sensor/loader/remote_loader.h"
#include "sensor/rpc/access/tls_files.h"
#include "sensor/rpc/server.h"

namespace kvmsentry {
namespace {

// As entries of systemd's journal where it takes the log, so that they keep their priority.
void StartLog() {
  if (LogGoesToJournald()) {
    spdlog::set_default_logger(spdlog::systemd_logger_mt("kvmsentryd", "kvmsentryd"));
    return;
  }
  spdlog::set_default_logger(spdlog::stderr_logger_mt("kvmsentryd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
}

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
  sensor.specs = {.shipped = options.specs, .site = options.site_specs};
  return sensor;
}

void LogStart(const SensorView& view, const DaemonOptions& options, const Server& server) {
  // A cause is said once: where KVM is not loaded, dozens of hooks have the same.
  std::map<std::pair<Lack, std::string>, std::vector<std::string>> causes;
  for (const HookView& hook : view.Status().hooks) {
    if (!Works(hook.coverage)) causes[{hook.lack, hook.reason}].push_back(hook.name);
  }
  for (const auto& [cause, hooks] : causes) {
    spdlog::log(cause.first == Lack::kFailed ? spdlog::level::warn : spdlog::level::info,
                "hooks off or degraded: {}: {}", absl::StrJoin(hooks, ", "), cause.second);
  }
  const int port = server.tcp_port();
  spdlog::info("kvmsentryd {} serves on {}{}", KVMSENTRY_VERSION, options.socket,
               port == 0 ? "" : absl::StrCat(" and on port ", port, " by TLS"));
}

// Problems go out as `kvmsentry spec lint` prints them: a line each, and nothing before it.
absl::StatusOr<LoadedLibrary> FirstLibrary(const SpecFolders& folders) {
  KVMSENTRY_ASSIGN_OR_RETURN(LoadedLibrary loaded, LoadLibrary(folders));
  for (const Problem& problem : loaded.problems) {
    std::fprintf(stderr, "%s\n", EscapeAgain(ToString(problem)).c_str());
  }
  if (loaded.library != nullptr) return loaded;
  const auto errors = TextsOf(loaded.problems, /*warnings=*/false).size();
  return absl::InvalidArgumentError(absl::StrCat("problems in ", folders.shipped,
                                                 folders.site.empty() ? "" : " or ", folders.site,
                                                 ": ", errors));
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

// Where the loop and those who serve clients still write or remove something. Sinks and the journal
// have threads of their own, made before.
Writable WrittenBy(const DaemonOptions& options) {
  const std::filesystem::path socket(options.socket);
  const std::filesystem::path pins(options.pin_root);
  Writable writable{
      .folders = {socket.has_parent_path() ? socket.parent_path().string() : ".", options.pin_root},
      .removed = {pins.parent_path()}};
  for (const std::string& folder : {options.state_dir, options.site_specs}) {
    if (!folder.empty()) writable.folders.push_back(folder);
  }
  return writable;
}

absl::StatusOr<std::unique_ptr<SilenceBook>> OpenSilences(const DaemonOptions& options,
                                                          const Clock& clock) {
  if (options.state_dir.empty()) return std::make_unique<SilenceBook>(clock);
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SilenceBook> silences,
                             SilenceBook::Open(options.state_dir, clock));
  if (!silences->problem().empty()) {
    spdlog::error("the silences were unreadable: {}", silences->problem());
  }
  return silences;
}

// What a start would read, without a right and without a trace.
absl::Status Check(const DaemonOptions& options) {
  KVMSENTRY_ASSIGN_OR_RETURN(const LoadedLibrary loaded,
                             FirstLibrary({.shipped = options.specs, .site = options.site_specs}));
  KVMSENTRY_RETURN_IF_ERROR(ReadAccess(options.access).status());
  if (!options.access.listen.empty()) {
    KVMSENTRY_RETURN_IF_ERROR(ReadTlsFiles(options.access.tls).status());
  }
  std::printf("no error: %zu specs\n", loaded.library->specs().size());
  return absl::OkStatus();
}

absl::Status Run(const DaemonOptions& options) {
  if (options.check) return Check(options);
  if (options.unpin) return Unpin(options.pin_root);
  std::signal(SIGPIPE, SIG_IGN);  // a log's reader that has gone is no reason to end
  KVMSENTRY_RETURN_IF_ERROR(CheckRights());
  KVMSENTRY_RETURN_IF_ERROR(RaiseFileLimit());  // the loader inherits it
  SensorOptions sensor_options = OptionsOf(options);
  // Before there is a second thread, or anything of anybody else's was read.
  if (const absl::Status joined = JoinCgroupNamespaceOfHost(); !joined.ok()) {
    spdlog::warn("cgroups are shown relative to this container's: {}",
                 std::string(joined.message()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      std::unique_ptr<RemoteLoader> loader,
      RemoteLoader::Start(sensor_options.probe, BpfSources(), ConfineLoader));
  const CanaryActs canary_acts(std::filesystem::path(options.socket).parent_path());
  KVMSENTRY_RETURN_IF_ERROR(ConfineDaemon());
  KVMSENTRY_RETURN_IF_ERROR(BlockSignals());
  KVMSENTRY_RETURN_IF_ERROR(FinishSiteWrite(options.site_specs));
  KVMSENTRY_ASSIGN_OR_RETURN(const LoadedLibrary library,
                             FirstLibrary({.shipped = options.specs, .site = options.site_specs}));
  KVMSENTRY_ASSIGN_OR_RETURN(AccessOptions access, ReadAccess(options.access));
  AccessBoard access_board;
  access.board = &access_board;
  access.max_open_calls += options.max_subscribers;
  // Before the maps: who is refused here has touched none.
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SocketPlace> place,
                             SocketPlace::Prepare(options.socket));
  const Clock& clock = SystemClock();
  std::optional<EndGuard> guard;  // the last to go: workers and programs end before it
  Pulse pulse;
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal, OpenJournal(options, clock));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::unique_ptr<SilenceBook> silences,
                             OpenSilences(options, clock));
  const auto silenced_by = [&silences](const AlertEvent& event) {
    return silences->SilencedBy(event);
  };
  Hub hub(std::move(journal));
  for (const AlertPtr& open : hub.journal().Open()) {
    JournaledAlert cleared = ClearLeftOpen(*open, clock.Now(), clock.WallNow());
    cleared.silenced_by = silenced_by(cleared.event);
    KVMSENTRY_RETURN_IF_ERROR(hub.Publish(std::move(cleared)));
  }
  // Gone before the hub is, and after the sensor that asks them.
  std::optional<Sinks> sinks(std::in_place, options, hub);
  sensor_options.outlet_problem = [&sinks] { return sinks->problem(); };
  sensor_options.silenced_by = silenced_by;
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::unique_ptr<Sensor> sensor,
      Sensor::Start(sensor_options, std::move(loader), library, canary_acts, clock, hub, pulse));
  // Who serves clients is made after this, and who reads /proc of VMMs was made before.
  if (const absl::Status confined =
          kSanitized ? absl::OkStatus() : ConfineWrites(WrittenBy(options));
      !confined.ok()) {
    if (!absl::IsUnimplemented(confined)) return confined;
    spdlog::info("files are not confined: {}", std::string(confined.message()));
  }
  KVMSENTRY_RETURN_IF_ERROR(ConfineServing());
  KVMSENTRY_ASSIGN_OR_RETURN(
      std::unique_ptr<MetricsServer> metrics,
      StartMetrics(options, hub, sensor->view(), pulse, clock, *silences, access_board));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::unique_ptr<Server> server,
                             Server::Start(std::move(place),
                                           {.max_subscribers = options.max_subscribers,
                                            .heartbeat = absl::Seconds(options.heartbeat_seconds),
                                            .silences = silences.get(),
                                            .access = std::move(access)},
                                           hub, sensor->view(), pulse, clock, &sensor->specs()));
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
  LogStart(sensor->view(), options, *server);
  malloc_trim(0);  // the kernel's types and the texts of specs took more than will be needed again
  TellReady();
  UnitWatchdog unit_watchdog;
  absl::Status ended = RunEventLoop(*sensor, tick_ns, [&] { unit_watchdog.Ticked(clock.Now()); });
  TellStopping();
  guard.emplace(kEndWithin, sensor->Busy(), ended.ok() ? 0 : 1);
  watchdog.reset();
  server->SetServing(false);
  sensor->specs().Close();
  hub.journal().Flush(kFlushWithin);
  server->Stop();
  sinks.reset();  // they write what the last tick raised
  metrics.reset();
  spdlog::info("stopped; counts stay in {}", options.pin_root);
  return ended;
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  // Else each thread has an arena of its own, which keeps what the thread once needed.
  mallopt(M_ARENA_MAX, 2);
  const kvmsentry::ParsedOptions parsed = kvmsentry::ParseDaemonOptions(argc, argv);
  if (parsed.exit_code) return *parsed.exit_code;
  kvmsentry::StartLog();
  if (parsed.options.verbose) spdlog::set_level(spdlog::level::debug);
  const absl::Status status = kvmsentry::Run(parsed.options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "kvmsentryd: %s\n", std::string(status.message()).c_str());
  return 1;
}
