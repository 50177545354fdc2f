#include "sensor/daemon/options.h"

#include "CLI/CLI.hpp"

#include "sensor/daemon/ring_size.h"
#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

std::vector<std::string> AllHookNames() {
  std::vector<std::string> names;
  for (const Hook& hook : Hooks()) names.emplace_back(hook.name);
  return names;
}

}  // namespace

ParsedOptions ParseDaemonOptions(int argc, char** argv) {
  ParsedOptions parsed;
  DaemonOptions& o = parsed.options;
  CLI::App app("kvmsentryd: watches the virtual machines of this host through eBPF");
  app.set_version_flag("--version", KVMSENTRY_VERSION);
  app.set_config("--config", "/etc/kvmsentry/kvmsentryd.toml",
                 "Read options from this file, as NAME = VALUE lines");
  app.option_defaults()->always_capture_default();
  app.add_option("--specs", o.specs, "Folder of the spec library")->type_name("DIR");
  app.add_option("--socket", o.socket, "Unix socket to serve on")->type_name("PATH");
  app.add_option("--pin-root", o.pin_root, "Folder of the pinned maps, on a bpffs")
      ->type_name("DIR");
  app.add_option("--node", o.node, "Name of this host on alerts; empty: the kernel's")
      ->type_name("NAME");
  app.add_option("--max-vms", o.max_vms, "VMs watched at most")->check(CLI::Range(1, 65536));
  app.add_option("--max-vcpus", o.max_vcpus, "vCPUs watched at most")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--max-queues", o.max_queues, "Virtqueues of vhost watched at most")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--ring-kib", o.ring_kib,
                 "Size of the ring that the kernel's programs tell by; 0: what the budgets of "
                 "--max-vms VMs take in a second")
      ->type_name("KIB")
      ->check(CLI::Validator(ProblemWithRingKib, ""));
  app.add_option("--max-subscribers", o.max_subscribers, "Subscribers served at most")
      ->check(CLI::Range(1, 4096));
  app.add_option("--alerts-kept", o.alerts_kept, "Alerts kept in memory for subscribers")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--tick", o.tick_ms, "Time between two looks at all counters")
      ->type_name("MILLISECONDS")
      ->check(CLI::Range(10, 1000));
  app.add_option("--heartbeat", o.heartbeat_seconds, "Time between heartbeats to subscribers")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 3600));
  app.add_option("--cost-budget", o.cost_budget,
                 "Share of the processors that the BPF programs may take before optional hooks are "
                 "left off for a while; 0: no limit")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--without-hook", o.without_hooks,
                 "Leave this hook off, by its name in kvmsentry status; may be given several times")
      ->type_name("NAME")
      ->check(CLI::IsMember(AllHookNames()));
  app.add_flag("--unpin", o.unpin, "Remove the pinned maps, with all counts, and end");
  app.add_flag("--verbose", o.verbose, "Log more");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
  }
  return parsed;
}

}  // namespace kvmsentry
