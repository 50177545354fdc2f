#include "sensor/sink/metrics_page.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/match.h"

#include "sensor/engine/report.h"
#include "sensor/sink/metrics_text.h"

namespace kvmsentry {
namespace {

constexpr double kMilli = 1000;
constexpr double kPercent = 100;
constexpr double kNsPerS = 1e9;

double Seconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }
double Real(uint64_t value) { return static_cast<double>(value); }

struct ShownVm {
  const VmView* view;
  std::string domain;
};

// The VMs that have lived longest, so that one that comes pushes none away.
std::vector<ShownVm> Shown(const MetricsInput& input) {
  std::vector<const VmView*> sorted;
  for (const VmView& vm : input.vms) {
    if (vm.watched) sorted.push_back(&vm);
  }
  // One that has ended last: another may have its name.
  std::ranges::sort(sorted, {}, [](const VmView* vm) { return std::pair(vm->exited, vm->vm.id); });
  std::vector<ShownVm> shown;
  std::set<std::string> names;  // unique already; twice the same would void the whole page
  for (const VmView* vm : sorted) {
    if (shown.size() == input.max_vms) break;
    if (names.insert(vm->vm.name).second) shown.push_back({vm, DomainOf(vm->vm)});
  }
  return shown;
}

bool IsSilenced(const AlertEvent& event, const std::vector<Silence>& silences) {
  return std::ranges::any_of(
      silences, [&event](const Silence& silence) { return silence.match.Matches(event); });
}

bool IsSilencedFault(const std::string& id, const MetricsInput& input) {
  return std::ranges::any_of(input.open, [&](const AlertPtr& alert) {
    const AlertEvent& event = alert->event;
    return event.spec_id == id && event.vm.id.serial == 0 && IsSilenced(event, input.silences);
  });
}

void AddSensor(const MetricsInput& input, MetricsText& text) {
  const SensorStatus& status = input.status;
  text.Gauge("kvmsentry_build_info", "The sensor's version and where it runs; always 1.");
  text.Sample(
      {{"version", status.version}, {"kernel", status.kernel_release}, {"node", status.host.node}},
      1);
  text.Gauge("kvmsentry_spec_library_info", "SHA-256 of the loaded spec library; always 1.");
  text.Sample({{"sha256", status.library.sha256}}, 1);
  text.Gauge("kvmsentry_config_last_reload_successful",
             "1 unless the latest reload of the spec library was refused.");
  text.Sample(status.library.refused.empty() ? 1 : 0);
  text.Gauge("kvmsentry_config_last_reload_success_timestamp_seconds",
             "When the spec library was loaded or found unchanged last.");
  text.Sample(Seconds(status.library.loaded_at));
  text.Gauge("kvmsentry_start_time_seconds", "When the sensor started, since 1970.");
  text.Sample(Seconds(status.started_at));
  text.Gauge("kvmsentry_last_tick_timestamp_seconds", "When the sensor's loop ticked last.");
  text.Sample(Seconds(input.pulse.tick_wall));
  text.Gauge("kvmsentry_lag_seconds", "Time since the sensor's loop ticked last.");
  text.Sample(std::max(0.0, absl::ToDoubleSeconds(input.now - input.pulse.tick_wall)));
  text.Gauge("kvmsentry_unobserved_seconds", "How long nobody watched before this start.");
  text.Sample(absl::ToDoubleSeconds(status.unobserved));
  text.Gauge(
      "kvmsentry_fault",
      "What is wrong with the sensor now: 1 by its alert's id; silenced: a silence matches it.");
  for (const FaultView& fault : status.faults) {
    text.Sample({{"fault", fault.id},
                 {"severity", SeverityName(fault.severity)},
                 {"silenced", IsSilencedFault(fault.id, input) ? "true" : "false"}},
                1);
  }
  text.Gauge("kvmsentry_vms", "VMs of the host, watched or not.");
  text.Sample({{"state", "watched"}}, Real(status.vms_watched));
  text.Sample({{"state", "unwatched"}}, Real(status.vms_unwatched));
  text.Sample({{"state", "hidden"}}, Real(status.vms_hidden.value_or(0)));
  text.Counter("kvmsentry_losses_total", "What was lost, by reason.");
  for (const LossView& loss : status.losses) {
    text.Sample({{"reason", loss.reason}, {"matters", loss.matters ? "true" : "false"}},
                Real(loss.count));
  }
}

// By the names, and with the words, of Prometheus's own clients.
void AddProcess(const MetricsInput& input, MetricsText& text) {
  text.Counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  text.Sample(input.usage.cpu_seconds);
  if (input.usage.resident_bytes) {
    text.Gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
    text.Sample(Real(*input.usage.resident_bytes));
  }
  if (input.process_start) {
    text.Gauge("process_start_time_seconds",
               "Start time of the process since unix epoch in seconds.");
    text.Sample(Seconds(*input.process_start));
  }
  if (input.usage.open_fds) {
    text.Gauge("process_open_fds", "Number of open file descriptors.");
    text.Sample(Real(*input.usage.open_fds));
  }
}

void AddHost(const MetricsInput& input, MetricsText& text) {
  text.Gauge("kvmsentry_host_pressure_ratio",
             "Share of the latest ten seconds for which tasks of the host waited.");
  for (const HostPressure& pressure : input.pressure) {
    text.Sample({{"resource", pressure.of}, {"tasks", "some"}}, pressure.some_percent / kPercent);
    if (!pressure.full_percent) continue;
    text.Sample({{"resource", pressure.of}, {"tasks", "all"}}, *pressure.full_percent / kPercent);
  }
}

void AddCoverage(const MetricsInput& input, MetricsText& text) {
  text.Gauge("kvmsentry_hook_coverage", "1 for the coverage that a hook has.");
  for (const HookView& hook : input.status.hooks) {
    text.Sample(
        {{"hook", hook.name}, {"variant", hook.variant}, {"coverage", CoverageName(hook.coverage)}},
        1);
  }
  std::map<std::pair<Point, Coverage>, uint64_t> specs;
  for (const SpecView& spec : input.specs) ++specs[{spec.point, spec.coverage}];
  text.Gauge("kvmsentry_specs", "Specs by the point that they watch and their coverage.");
  for (const auto& [of, count] : specs) {
    text.Sample({{"point", PointName(of.first)}, {"coverage", CoverageName(of.second)}},
                Real(count));
  }
  text.Gauge("kvmsentry_program_cpu_ratio",
             "Share of all CPUs' time that a hook's programs took when last measured.");
  for (const HookView& hook : input.status.hooks) {
    if (hook.cost_percent) text.Sample({{"hook", hook.name}}, *hook.cost_percent / kPercent);
  }
  text.Gauge("kvmsentry_program_run_seconds", "Time of one run of a hook's programs.");
  for (const HookView& hook : input.status.hooks) {
    if (hook.ns_per_run) text.Sample({{"hook", hook.name}}, *hook.ns_per_run / kNsPerS);
  }
  text.Gauge("kvmsentry_cost_budget_ratio", "Share above which hooks are shed; 0: no limit.");
  text.Sample(input.status.cost_budget_percent / kPercent);
}

void AddAlerts(const MetricsInput& input, MetricsText& text) {
  text.Counter("kvmsentry_alerts_total", "Steps in the lives of alerts that were reported.");
  text.Sample(Real(input.alerts));
  std::map<std::tuple<Severity, Point, bool>, uint64_t> open;
  uint64_t observed = 0;
  for (const AlertPtr& alert : input.open) {
    const AlertEvent& event = alert->event;
    ++(event.observe_only ? observed
                          : open[{event.severity, event.point, IsSilenced(event, input.silences)}]);
  }
  text.Gauge("kvmsentry_open_observations", "Open alerts of specs that are only observed.");
  text.Sample(Real(observed));
  text.Gauge(
      "kvmsentry_open_alerts",
      "Alerts that are open now, but those only observed; silenced: a silence matches them.");
  for (const auto& [of, count] : open) {
    const auto& [severity, point, is_silenced] = of;
    text.Sample({{"severity", SeverityName(severity)},
                 {"point", point == Point::kNone ? "" : PointName(point)},
                 {"silenced", is_silenced ? "true" : "false"}},
                Real(count));
  }
  text.Gauge("kvmsentry_silences", "Silences that are active.");
  text.Sample(Real(input.silences.size()));
  const JournalState& journal = input.journal;
  text.Gauge("kvmsentry_journal_durable", "1 while alerts are on disk before they are sent.");
  text.Sample(!journal.path.empty() && journal.problem.empty() ? 1 : 0);
  text.Gauge("kvmsentry_journal_bytes", "Size of the alerts on disk.");
  text.Sample(Real(journal.bytes));
  text.Gauge("kvmsentry_journal_max_bytes", "Size above which the oldest alerts are evicted.");
  text.Sample(Real(journal.max_bytes));
}

void AddClients(const AccessState& access, MetricsText& text) {
  text.Gauge("kvmsentry_client_connections", "Connections of gRPC clients that are open.");
  text.Sample(access.connections);
  text.Gauge("kvmsentry_client_connections_max", "Above it further ones are refused.");
  text.Sample(access.max_connections);
  text.Counter("kvmsentry_client_refusals_total", "What gRPC clients were refused, by reason.");
  for (const auto& [reason, count] : access.refused) {
    text.Sample({{"reason", reason}}, Real(count));
  }
}

// The VMs, by their serials, whose open alert on the score is silenced.
std::set<uint64_t> ScoreSilenced(const MetricsInput& input) {
  std::set<uint64_t> vms;
  for (const AlertPtr& alert : input.open) {
    const AlertEvent& event = alert->event;
    if (event.spec_id == kScoreBandId && IsSilenced(event, input.silences)) {
      vms.insert(event.vm.id.serial);
    }
  }
  return vms;
}

void AddVms(const MetricsInput& input, MetricsText& text) {
  const std::vector<ShownVm> vms = Shown(input);
  text.Gauge("kvmsentry_vms_left_out", "Watched VMs of which no series are shown.");
  text.Sample(Real(input.status.vms_watched) -
              std::min(Real(input.status.vms_watched), Real(vms.size())));
  text.Gauge("kvmsentry_vm_info", "What a VM is; always 1.");
  for (const auto& [vm, domain] : vms) {
    text.Sample({{"name", vm->vm.name},
                 {"domain", domain},
                 {"uuid", vm->vm.uuid},
                 {"vmm", vm->vm.vmm},
                 {"cgroup", vm->vm.cgroup}},
                1);
  }
  text.Gauge("kvmsentry_vm_score", "A VM's score, in points.");
  for (const auto& [vm, domain] : vms) {
    text.Sample({{"name", vm->vm.name}, {"domain", domain}},
                static_cast<double>(vm->score_millipoints) / kMilli);
  }
  text.Gauge("kvmsentry_vm_score_silenced",
             "1 while the VM's open alert on its score, score-band, is silenced.");
  const std::set<uint64_t> silenced = ScoreSilenced(input);
  for (const auto& [vm, domain] : vms) {
    text.Sample({{"name", vm->vm.name}, {"domain", domain}}, silenced.contains(vm->vm.id.serial));
  }
  text.Gauge("kvmsentry_vm_open_alerts", "Alerts of a VM that are open now.");
  for (const auto& [vm, domain] : vms) {
    text.Sample({{"name", vm->vm.name}, {"domain", domain}}, vm->open_alerts);
  }
  text.Gauge("kvmsentry_vm_vcpus", "vCPUs of a VM.");
  for (const auto& [vm, domain] : vms) {
    text.Sample({{"name", vm->vm.name}, {"domain", domain}}, vm->vcpus);
  }
  text.Counter("kvmsentry_vm_events_total",
               "What was counted of a VM, by feature; rate() of it is what specs compare.");
  for (const auto& [vm, domain] : vms) {
    for (const auto& [feature, count] : vm->counts) {
      text.Sample({{"name", vm->vm.name}, {"domain", domain}, {"feature", feature}}, Real(count));
    }
  }
  text.Gauge("kvmsentry_vm_level", "What a VM uses now, by feature, in the feature's unit.");
  for (const auto& [vm, domain] : vms) {
    for (const auto& [feature, level] : vm->levels) {
      text.Sample({{"name", vm->vm.name}, {"domain", domain}, {"feature", feature}}, level);
    }
  }
}

}  // namespace

// libvirt puts its VMs below a scope of its own; its name for the domain is the one that QEMU is
// given. (KubeVirt's libvirt names it NAMESPACE_NAME.)
std::string DomainOf(const VmFacts& vm) {
  const bool libvirt = absl::StrContains(vm.cgroup, "machine-qemu") ||
                       absl::StrContains(vm.cgroup, "libvirt") ||
                       absl::StrContains(vm.cgroup, "kubepods");
  return libvirt && vm.vmm == "qemu" ? vm.given_name : "";
}

std::string MetricsPage(const MetricsInput& input) {
  MetricsText text;
  AddSensor(input, text);
  AddProcess(input, text);
  AddHost(input, text);
  AddCoverage(input, text);
  AddAlerts(input, text);
  AddClients(input.access, text);
  AddVms(input, text);
  return text.Take();
}

}  // namespace kvmsentry
