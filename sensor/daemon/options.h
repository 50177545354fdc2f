// The command line and the configuration file of kvmsentryd.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sensor/daemon/access_config.h"
#include "sensor/spec/layers.h"

namespace kvmsentry {

struct DaemonOptions {
  std::string specs = kShippedSpecs;
  std::string site_specs = kSiteSpecs;  // need not be there; empty: none
  std::string socket = "/run/kvmsentry/kvmsentry.sock";
  std::string pin_root = "/sys/fs/bpf/kvmsentry";
  std::string state_dir;  // of the journal; empty: alerts are kept in memory only
  uint32_t journal_mib = 64;
  uint32_t journal_days = 30;
  std::string journald = "auto";  // "auto", "on", "off"
  std::string json_lines;         // file, or "-"; empty: none
  std::string metrics_listen;     // ADDRESS:PORT; empty: none
  uint32_t metrics_max_vms = 256;
  std::string node;  // empty: the kernel's name
  uint32_t max_vms = 512;
  uint32_t max_vcpus = 8192;
  uint32_t max_queues = 4096;
  uint32_t ring_kib = 0;  // 0: as RingBytes() says
  uint32_t max_subscribers = 64;
  uint32_t alerts_kept = 4096;
  uint32_t tick_ms = 100;
  uint32_t heartbeat_seconds = 10;
  uint32_t watchdog_seconds = 60;          // without a tick, then the process ends; 0: never
  double cost_budget = 2;                  // percent of all processors' time; 0: none
  std::vector<std::string> without_hooks;  // names of hooks that are not attached
  AccessConfig access;
  bool check = false;
  bool unpin = false;
  bool verbose = false;
};

// The options, or the exit code where the program is to end at once (--help, a wrong option).
struct ParsedOptions {
  DaemonOptions options;
  std::optional<int> exit_code;
};
ParsedOptions ParseDaemonOptions(int argc, char** argv);

}  // namespace kvmsentry
