#include "sensor/daemon/options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/endpoint.h"
#include "sensor/base/escape.h"
#include "sensor/base/nearest.h"
#include "sensor/base/wrap.h"
#include "sensor/daemon/config_file.h"
#include "sensor/daemon/ring_size.h"
#include "sensor/daemon/watchdog.h"
#include "sensor/inventory/files.h"
#include "sensor/source/registry.h"
#include "sensor/usage/help.h"
#include "sensor/usage/usage_error.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

std::vector<std::string> NamesOfHooks() {
  std::vector<std::string> names;
  for (const Hook& hook : Hooks()) names.emplace_back(hook.name);
  return names;
}

constexpr char kConfigPath[] = "/etc/kvmsentry/kvmsentryd.toml";
constexpr size_t kMaxConfigBytes = 1 << 20;

// "" for an option that a file may not set.
std::string ConfigName(const CLI::Option* option) {
  return option->get_configurable() && !option->get_lnames().empty() ? option->get_lnames().front()
                                                                     : "";
}

// What is set in ENTRIES and not on the command line. INVALID_ARGUMENT "LINE: what is wrong".
absl::Status SetFrom(const std::vector<ConfigEntry>& entries, CLI::App& app) {
  const std::vector<CLI::Option*> options =
      app.get_options([](const CLI::Option* option) { return !ConfigName(option).empty(); });
  for (const ConfigEntry& entry : entries) {
    const auto found = std::ranges::find(options, entry.name, ConfigName);
    if (found == options.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(entry.line, ": no option '", Escape(entry.name), "'; did you mean '",
                       ConfigName(NearestTo(entry.name, options, ConfigName)), "'?"));
    }
    if ((*found)->count() > 0) continue;
    if (entry.values.empty() && (*found)->get_expected_max() > 1) continue;  // an empty list
    try {
      for (const std::string& value : entry.values) (*found)->add_result(value);
      (*found)->run_callback();
    } catch (const CLI::ParseError& error) {
      return absl::InvalidArgumentError(absl::StrCat(entry.line, ": ", Escape(error.what())));
    }
  }
  return absl::OkStatus();
}

void AddOptions(CLI::App& app, DaemonOptions& o, std::string& config) {
  app.option_defaults()->always_capture_default();
  app.add_option("--config", config, "Read options from this file, as NAME = VALUE lines")
      ->type_name("FILE")
      ->configurable(false);
  app.add_option("--specs", o.specs, "Folder of the spec library")->type_name("DIR");
  app.add_option("--site-specs", o.site_specs,
                 "Folder in which a site adds, disables and overrides specs; it need not be there; "
                 "empty: none")
      ->type_name("DIR");
  app.add_option("--socket", o.socket, "Unix socket to serve on")->type_name("PATH");
  AddAccessOptions(app, o.access);
  app.add_option("--pin-root", o.pin_root, "Folder of the pinned maps, on a bpffs")
      ->type_name("DIR");
  app.add_option("--state-dir", o.state_dir,
                 "Folder in which alerts are kept over restarts; empty: in memory only. Default: "
                 "$STATE_DIRECTORY, which systemd sets")
      ->type_name("DIR");
  app.add_option("--journal-mib", o.journal_mib, "Size of the alerts kept there at most")
      ->type_name("MIB")
      ->check(Within(1, 1 << 16));
  app.add_option("--journal-days", o.journal_days, "Age of the alerts kept there at most")
      ->type_name("DAYS")
      ->check(Within(1, 3650));
  app.add_option("--journald", o.journald,
                 "Write alerts to systemd's journal: on, off, or auto: where systemd started this")
      ->type_name("WHEN")
      ->transform(OneOf({"auto", "on", "off"}));
  app.add_option("--json-lines", o.json_lines,
                 "Write alerts to this file as JSON, one a line, rotated at 10 MB; - for standard "
                 "output")
      ->type_name("FILE");
  app.add_option("--metrics-listen", o.metrics_listen,
                 "Serve metrics for Prometheus, without access control, on this address")
      ->type_name("ADDRESS:PORT")
      ->check(CLI::Validator(ProblemWithEndpoint, ""));
  app.add_option("--metrics-max-vms", o.metrics_max_vms, "VMs with series of their own at most")
      ->type_name("N")
      ->check(Within(0, 65536));
  app.add_option("--node", o.node, "Name of this host on alerts; empty: the kernel's")
      ->type_name("NAME");
  app.add_option("--max-vms", o.max_vms, "VMs watched at most")
      ->type_name("N")
      ->check(Within(1, 65536));
  app.add_option("--max-vcpus", o.max_vcpus, "vCPUs watched at most")
      ->type_name("N")
      ->check(Within(1, 1 << 20));
  app.add_option("--max-queues", o.max_queues, "Virtqueues of vhost watched at most")
      ->type_name("N")
      ->check(Within(1, 1 << 20));
  app.add_option("--ring-kib", o.ring_kib,
                 "Size of the ring by which the kernel's programs report; 0: what the budgets of "
                 "--max-vms VMs take in a second")
      ->type_name("KIB")
      ->check(CLI::Validator(ProblemWithRingKib, ""));
  app.add_option("--max-subscribers", o.max_subscribers, "Subscribers served at most")
      ->type_name("N")
      ->check(Within(1, 4096));
  app.add_option("--alerts-kept", o.alerts_kept, "Alerts kept in memory for subscribers")
      ->type_name("N")
      ->check(Within(1, 1 << 20));
  app.add_option("--tick", o.tick_ms, "Time between two looks at all counters")
      ->type_name("MILLISECONDS")
      ->check(Within(10, 1000));
  app.add_option("--heartbeat", o.heartbeat_seconds, "Time between heartbeats to subscribers")
      ->type_name("SECONDS")
      ->check(Within(1, 3600));
  app.add_option("--watchdog", o.watchdog_seconds,
                 "End the process, to be restarted, after so long without a tick; after a sixth of "
                 "it the health service says NOT_SERVING; at least ten ticks; 0: never end")
      ->type_name("SECONDS")
      ->check(Within(0, 3600));
  app.add_option("--cost-budget", o.cost_budget,
                 "Share of the CPU time that the BPF programs may take before optional hooks are "
                 "left off for a while; 0: no limit")
      ->type_name("PERCENT")
      ->check(Within(0.0, 100.0));
  app.add_option("--without-hook", o.without_hooks,
                 "Leave this hook off, by its name in kvmsentry status; may be given several times")
      ->type_name("NAME")
      ->transform(OneOf(NamesOfHooks()));
  app.add_flag("--check", o.check,
               "Check the configuration, the spec library and the certificates, and end")
      ->configurable(false);
  app.add_flag("--unpin", o.unpin, "Remove the pinned maps, with all counts, and end")
      ->configurable(false);
  app.add_flag("--verbose", o.verbose, "Log more");
}

// The file's values are checked where the command line goes first, too.
absl::Status ReadConfig(const std::string& path, bool must_exist, CLI::App& app) {
  const absl::StatusOr<std::string> text = ReadFileAt(AT_FDCWD, path, kMaxConfigBytes);
  if (absl::IsNotFound(text.status()) && !must_exist) return absl::OkStatus();
  if (!text.ok()) return text.status();
  const auto at_line = [&](const absl::Status& status) {
    return status.ok() ? status
                       : absl::InvalidArgumentError(absl::StrCat(path, ":", status.message()));
  };
  const absl::StatusOr<std::vector<ConfigEntry>> entries = ParseConfig(*text);
  if (!entries.ok()) return at_line(entries.status());
  CLI::App trial;
  DaemonOptions tried;
  std::string ignored;
  AddOptions(trial, tried, ignored);
  KVMSENTRY_RETURN_IF_ERROR(at_line(SetFrom(*entries, trial)));
  return at_line(SetFrom(*entries, app));
}

// The first of those that systemd gives the unit.
std::string DefaultStateDir() {
  const char* const dirs = std::getenv("STATE_DIRECTORY");
  const std::string all = dirs == nullptr ? "" : dirs;
  return all.substr(0, all.find(':'));
}

// As the file says it.
std::string DefaultInConfig(const CLI::Option& option) {
  const std::string value = option.get_default_str();
  if (option.get_expected_min() == 0) return "false";  // a flag
  if (value == "[]") return value;
  const bool bare = !value.empty() && value.find_first_not_of("0123456789.") == std::string::npos;
  return bare ? value : absl::StrCat("\"", value, "\"");
}

// " (MILLISECONDS, 10 to 1000)"; empty for a flag.
std::string ValueInConfig(const CLI::Option& option) {
  const ValueText value = ValueOf(option);
  if (value.name.empty()) return "";
  return absl::StrCat(" (", value.name, value.bounds.empty() ? "" : ", ", value.bounds, ")");
}

// A file that sets nothing: each option that a file may set, with what it is and its default.
std::string SampleConfig(const CLI::App& app) {
  constexpr size_t kNoLimit = 1000;
  std::string sample =
      "# kvmsentryd's options, as NAME = VALUE. What is commented out here is the\n"
      "# default; the command line overrides this file.\n";
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* o) { return !ConfigName(o).empty(); })) {
    const std::string text = absl::StrCat(option->get_description(), ValueInConfig(*option), ".");
    absl::StrAppend(&sample, "\n# ", absl::StrJoin(WrapTo(text, 78, kNoLimit), "\n# "), "\n#",
                    ConfigName(option), " = ", DefaultInConfig(*option), "\n");
  }
  return sample;
}

// What no option can check alone.
absl::Status CheckTogether(const DaemonOptions& options) {
  KVMSENTRY_RETURN_IF_ERROR(CheckAccess(options.access));
  const int64_t fewest_ms = kFewestTicks * options.tick_ms;
  if (options.watchdog_seconds == 0 || options.watchdog_seconds * 1000LL >= fewest_ms) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--watchdog ", options.watchdog_seconds, " is less than ", kFewestTicks, " ticks of ",
      options.tick_ms, " ms; choose ", (fewest_ms + 999) / 1000, " or more, or 0 for no watchdog"));
}

}  // namespace

ParsedOptions ParseDaemonOptions(int argc, char** argv) {
  ParsedOptions parsed;
  parsed.options.state_dir = DefaultStateDir();
  CLI::App app("kvmsentryd: watches the virtual machines of this host through eBPF", "kvmsentryd");
  UseHelp(app);
  app.set_version_flag("--version", KVMSENTRY_VERSION, "Show the version and end");
  app.failure_message(
      [](const CLI::App* failed, const CLI::Error& error) { return UsageError(*failed, error); });
  std::string config = kConfigPath;
  AddOptions(app, parsed.options, config);
  bool print_config = false;
  app.add_flag("--print-config", print_config,
               "Print a configuration file with all options, and end")
      ->configurable(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? 0 : kUsageError;
    return parsed;
  }
  if (print_config) {
    std::fputs(SampleConfig(app).c_str(), stdout);
    parsed.exit_code = 0;
    return parsed;
  }
  const bool must_exist = app.get_option("--config")->count() > 0;
  absl::Status status = ReadConfig(config, must_exist, app);
  if (status.ok()) status = CheckTogether(parsed.options);
  if (!status.ok()) {
    std::fprintf(stderr, "kvmsentryd: %s\n", std::string(status.message()).c_str());
    parsed.exit_code = kUsageError;
  }
  return parsed;
}

}  // namespace kvmsentry
