#include "sensor/sink/metrics_page.h"

#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VmView Vm(uint64_t serial, std::string name) {
  VmView vm;
  vm.vm.id = {serial};
  vm.vm.name = vm.vm.given_name = std::move(name);
  vm.vm.vmm = "qemu";
  vm.watched = true;
  vm.score_millipoints = 1500;
  vm.counts["pio.rate"] = 7;
  vm.levels["memory.used"] = 0.5;
  return vm;
}

MetricsInput Some() {
  MetricsInput input;
  input.status.version = "0.1.0";
  input.status.vms_watched = 3;
  input.status.losses = {{.reason = "ring_full", .meaning = "", .count = 2, .matters = true}};
  input.vms = {Vm(2, "b"), Vm(1, "a"), Vm(3, "c")};
  input.vms[1].vm.cgroup = "/machine.slice/machine-qemu\\x2d1\\x2da.scope";
  input.status.library = {.sha256 = "00ff", .loaded_at = absl::FromUnixSeconds(5)};
  input.access = {.connections = 3, .max_connections = 256, .refused = {{"role", 2}}};
  input.pressure = {{.of = "cpu", .some_percent = 12.5, .full_percent = {}},
                    {.of = "io", .some_percent = 50, .full_percent = 25}};
  input.usage = {.cpu_seconds = 1.5, .resident_bytes = 4096, .open_fds = 17};
  input.process_start = absl::FromUnixSeconds(3);
  input.now = absl::FromUnixSeconds(12);
  input.pulse.tick_wall = absl::FromUnixSeconds(10);
  return input;
}

TEST(MetricsPage, ShowsWhatPrometheusKnowsOfTheSensorAndItsVms) {
  const std::string page = MetricsPage(Some());
  EXPECT_THAT(page, HasSubstr("# TYPE kvmsentry_losses_total counter\n"
                              "kvmsentry_losses_total{reason=\"ring_full\",matters=\"true\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_lag_seconds 2\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_spec_library_info{sha256=\"00ff\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_vm_score{name=\"a\",domain=\"a\"} 1.5\n"
                              "kvmsentry_vm_score{name=\"b\"} 1.5\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_vm_events_total{name=\"b\",feature=\"pio.rate\"} 7\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_journal_durable 0\n"));
  EXPECT_THAT(page,
              HasSubstr("kvmsentry_host_pressure_ratio{resource=\"cpu\",tasks=\"some\"} 0.125\n"
                        "kvmsentry_host_pressure_ratio{resource=\"io\",tasks=\"some\"} 0.5\n"
                        "kvmsentry_host_pressure_ratio{resource=\"io\",tasks=\"all\"} 0.25\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_config_last_reload_successful 1\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_config_last_reload_success_timestamp_seconds 5\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_client_connections 3\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_client_refusals_total{reason=\"role\"} 2\n"));
}

TEST(MetricsPage, ShowsTheProcessByTheNamesOfPrometheussClients) {
  MetricsInput input = Some();
  std::string page = MetricsPage(input);
  EXPECT_THAT(page, HasSubstr("# TYPE process_cpu_seconds_total counter\n"
                              "process_cpu_seconds_total 1.5\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE process_resident_memory_bytes gauge\n"
                              "process_resident_memory_bytes 4096\n"));
  EXPECT_THAT(page, HasSubstr("process_start_time_seconds 3\n"));
  EXPECT_THAT(page, HasSubstr("process_open_fds 17\n"));
  input.usage.open_fds.reset();  // what cannot be read is left out, not 0
  page = MetricsPage(input);
  EXPECT_THAT(page, Not(HasSubstr("process_open_fds")));
}

TEST(MetricsPage, ARefusedReloadAndWhatIsOnlyObservedAreSeen) {
  MetricsInput input = Some();
  input.status.library.refused = "site:1:1: error: no";
  const auto add = [&](bool observe_only) {
    auto alert = std::make_shared<JournaledAlert>();
    alert->event.severity = Severity::kInfo;
    alert->event.point = Point::kK2;
    alert->event.observe_only = observe_only;
    input.open.push_back(std::move(alert));
  };
  add(true);
  add(true);
  add(false);
  const std::string page = MetricsPage(input);
  EXPECT_THAT(page, HasSubstr("kvmsentry_config_last_reload_successful 0\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_open_observations 2\n"));
  EXPECT_THAT(
      page,
      HasSubstr("kvmsentry_open_alerts{severity=\"INFO\",point=\"K2\",silenced=\"false\"} 1\n"));
}

TEST(MetricsPage, TellsOpenAlertsThatAreSilencedApart) {
  MetricsInput input = Some();
  for (const char* vm : {"a", "a", "b"}) {
    auto alert = std::make_shared<JournaledAlert>();
    alert->event.vm = {.id = {1}, .name = vm, .uuid = "", .vmm = "", .cgroup = ""};
    alert->event.severity = Severity::kWarning;
    alert->event.point = Point::kK2;
    input.open.push_back(alert);
  }
  input.silences = {
      {.id = 7, .match = {.vm = "b"}, .created_at = {}, .ends_at = {}, .ends_at_latest = {}}};
  const std::string page = MetricsPage(input);
  EXPECT_THAT(page, HasSubstr("kvmsentry_open_alerts{severity=\"WARNING\",point=\"K2\","
                              "silenced=\"false\"} 2\n"
                              "kvmsentry_open_alerts{severity=\"WARNING\",point=\"K2\","
                              "silenced=\"true\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("kvmsentry_silences 1\n"));
}

// So the rule on a VM's score passes over what status passes over.
TEST(MetricsPage, ShowsWhetherTheAlertOnAVmsScoreIsSilenced) {
  MetricsInput input = Some();
  const auto add = [&](uint64_t serial, std::string vm, std::string spec) {
    auto alert = std::make_shared<JournaledAlert>();
    alert->event.vm = {.id = {serial}, .name = vm, .uuid = "", .vmm = "", .cgroup = ""};
    alert->event.spec_id = std::move(spec);
    alert->event.severity = Severity::kCritical;
    input.open.push_back(alert);
  };
  add(1, "a", "score-band");
  add(2, "b", "score-band");
  add(3, "c", "pio-storm");
  input.silences = {
      {.id = 7, .match = {.vm = "a"}, .created_at = {}, .ends_at = {}, .ends_at_latest = {}},
      {.id = 8, .match = {.vm = "c"}, .created_at = {}, .ends_at = {}, .ends_at_latest = {}}};
  EXPECT_THAT(MetricsPage(input),
              HasSubstr("kvmsentry_vm_score_silenced{name=\"a\",domain=\"a\"} 1\n"
                        "kvmsentry_vm_score_silenced{name=\"b\"} 0\n"
                        "kvmsentry_vm_score_silenced{name=\"c\"} 0\n"));
}

TEST(MetricsPage, ShowsWhetherAFaultIsSilenced) {
  MetricsInput input = Some();
  for (const char* id : {"self-cost", "self-ring"}) {
    input.status.faults.push_back({.id = id, .severity = Severity::kWarning, .text = "wrong"});
    auto alert = std::make_shared<JournaledAlert>();
    alert->event.spec_id = id;
    alert->event.severity = Severity::kWarning;
    input.open.push_back(alert);
  }
  input.silences = {{.id = 7,
                     .match = {.spec = "self-cost"},
                     .created_at = {},
                     .ends_at = {},
                     .ends_at_latest = {}}};
  EXPECT_THAT(
      MetricsPage(input),
      HasSubstr(
          "kvmsentry_fault{fault=\"self-cost\",severity=\"WARNING\",silenced=\"true\"} 1\n"
          "kvmsentry_fault{fault=\"self-ring\",severity=\"WARNING\",silenced=\"false\"} 1\n"));
}

TEST(MetricsPage, OfMoreVmsThanTheLimitOnlyTheNumberIsShown) {
  MetricsInput input = Some();
  input.max_vms = 2;
  const std::string page = MetricsPage(input);
  EXPECT_THAT(page, HasSubstr("kvmsentry_vms_left_out 1\n"));
  EXPECT_THAT(page, HasSubstr("name=\"b\""));
  EXPECT_THAT(page, Not(HasSubstr("name=\"c\"")));
}

// Whatever a VM is called, no series is there twice, and no line is torn.
TEST(MetricsPage, NamesOfVmsStayWithinTheirQuotes) {
  MetricsInput input = Some();
  input.vms[0].vm.name = "x\"} 1\nkvmsentry_vm_score{name=\"y";
  input.vms[1].vm.name = "back\\slash\xff";
  input.vms[2].vm.name = "back\\slash\xff";
  const std::string page = MetricsPage(input);
  std::set<std::string> series;
  for (const absl::string_view line : absl::StrSplit(page, '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    EXPECT_TRUE(absl::StartsWith(line, "kvmsentry_") || absl::StartsWith(line, "process_"));
    EXPECT_TRUE(series.insert(std::string(line.substr(0, line.rfind(' ')))).second) << line;
  }
  EXPECT_THAT(page, HasSubstr("name=\"x\\\"} 1\\\\x0akvmsentry_vm_score{name=\\\"y\""));
  EXPECT_THAT(page, HasSubstr("name=\"back\\\\slash\\\\xff\""));
}

}  // namespace
}  // namespace kvmsentry
