#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/format.h"
#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

v1::GetStatusResponse SomeStatus() {
  return FromText<v1::GetStatusResponse>(R"(
      host { node: "n1" } version: "0.1.0" kernel_release: "6.1.0" libbpf_version: "1.1"
      host_pressure { of: "cpu" some_percent: 12.5 } host_pressure { of: "io" some_percent: 0.5 }
      started_at { seconds: 60 } unobserved { seconds: 12 } last_tick { seconds: 184 }
      hooks { name: "kvm_pio" coverage: ACTIVE variant: "tp_btf" provides: "port accesses"
              cost_percent: 0.0123456 ns_per_run: 41.4 }
      hooks { name: "kvm_exit" coverage: UNOBSERVABLE reason: "no such tracepoint" provides: "exits"
              lack: FAILED }
      hooks { name: "handle_rx" coverage: UNOBSERVABLE lack: MODULE_MISSING
              reason: "module vhost_net not loaded" }
      hooks { name: "handle_tx" coverage: UNOBSERVABLE lack: MODULE_MISSING
              reason: "module vhost_net not loaded" }
      specs { id: "pio-storm" coverage: ACTIVE point: K2 }
      specs { id: "exit-storm" point: R5 coverage: UNOBSERVABLE reason: "kvm_exit: no such tracepoint" }
      specs { id: "turns" point: K4 coverage: UNOBSERVABLE reason: "handle_rx: fentry: x; handle_tx: y" }
      losses { reason: "ring_full" meaning: "records without room" count: 1200 recent: 200 matters: true }
      losses { reason: "no_vm_slot" meaning: "VMs" } losses { reason: "bad_record" meaning: "m" }
      limits { max_vms: 256 max_vcpus: 4096 max_subscribers: 64 alerts_kept: 4096 ring_bytes: 65536 }
      last_alert { epoch: 9 sequence: 3 } subscribers: 1 vms_watched: 2 vms_unwatched: 1
      vms_hidden: 4 pins_recreated: true pins_recreated_reason: "layout 1, not 2"
      cost_percent: 0.25 cost_budget_percent: 2
      faults { id: "self-cost" severity: WARNING text: "programs are too dear: x" }
      faults { severity: CRITICAL text: "the sensor's pins were removed: the pin x" }
      open_alerts { severity: CRITICAL count: 1 vm: "web-1" }
      open_alerts { severity: WARNING silenced: 5 }
      open_alerts { severity: NOTICE count: 2 vm: "web-1" vm: "db" })");
}

std::string Text(const v1::GetStatusResponse& status, const StatusParts& parts) {
  return FormatStatus(status, parts, Style(false), absl::FromUnixSeconds(185), absl::UTCTimeZone());
}

TEST(FormatStatus, SaysOnOneScreenWhetherAllIsWell) {
  EXPECT_EQ(Text(SomeStatus(), {}),
            "CRITICAL  kvmsentryd 0.1.0 on n1, kernel 6.1.0\n"
            "running   2m5s, since 1970-01-01 00:01:00; monitoring gap before: 12s\n"
            "VMs       2 watched, 1 not watched, 4 hidden\n"
            "alerts    5 open: 2 CRITICAL, 1 WARNING, 2 NOTICE (2 of the sensor itself); 5\n"
            "          silenced\n"
            "journal   in memory only, see --state-dir; last alert 9:3; 1 subscriber\n"
            "works     1 of 4 hooks, 1 of 3 specs\n"
            "seen      K2\n"
            "not seen  K4 R5: see below; K1 K3 K5 K6 K7 R1 R2 R3 R4: no spec\n"
            "losses    for 1 reason, of which 1 within 20 min\n"
            "cost      0.25% of all CPUs; budget 2%\n"
            "pressure  cpu 12.5%, io 0.5% of the last 10 s\n"
            "\n"
            "CRITICAL  the sensor's pins were removed: the pin x\n"
            "CRITICAL  1 alert open, of web-1: kvmsentry alerts --open\n"
            "CRITICAL  4 VMs hidden: KVM counts more than any process has open\n"
            "WARNING   programs are too dear: x\n"
            "WARNING   1 VM not watched: see kvmsentry vms\n"
            "WARNING   lost 200 times within 20 min, ring_full: records without room\n"
            "WARNING   1 spec of R5 not seen: no such tracepoint (kvm_exit)\n"
            "note      not loaded: vhost_net: 1 spec of K4\n"
            "note      counts of an earlier run were removed: layout 1, not 2\n");
}

TEST(FormatStatus, TellsWhichPointsAreSeenInPart) {
  const auto status = FromText<v1::GetStatusResponse>(R"(
      last_tick { seconds: 185 }
      specs { point: K2 coverage: ACTIVE } specs { point: K2 coverage: ATTACHED }
      specs { point: R1 coverage: ACTIVE } specs { point: R1 coverage: UNOBSERVABLE }
      specs { point: R2 coverage: DEGRADED })");
  EXPECT_NE(Text(status, {})
                .find("seen      K2\n"
                      "in part   R1 1/2, R2 0/1 specs\n"
                      "not seen  K1 K3 K4 K5 K6 K7 R3 R4 R5: no spec\n"),
            std::string::npos)
      << Text(status, {});
}

TEST(FormatStatus, ShowsThePartsThatAreAskedFor) {
  const std::string header = "CRITICAL  kvmsentryd 0.1.0 on n1, kernel 6.1.0\n";
  EXPECT_EQ(Text(SomeStatus(), {.hooks = true, .specs = false, .losses = false}),
            header +
                "\n"
                "HOOK       COVERAGE      BY      NS     COST  WHY\n"
                "kvm_pio    ACTIVE        tp_btf  41  0.0123%\n"
                "kvm_exit   UNOBSERVABLE  -        -        -  [1]\n"
                "handle_rx  UNOBSERVABLE  -        -        -  [2]\n"
                "handle_tx  UNOBSERVABLE  -        -        -  [2]\n"
                "\n"
                "[1]  no such tracepoint; not seen: exits\n"
                "[2]  module vhost_net not loaded\n");
  EXPECT_EQ(Text(SomeStatus(), {.hooks = false, .specs = true, .losses = true}),
            header +
                "\n"
                "SPEC        POINT  COVERAGE      REMARK\n"
                "pio-storm   K2     ACTIVE\n"
                "exit-storm  R5     UNOBSERVABLE  kvm_exit: no such tracepoint\n"
                "turns       K4     UNOBSERVABLE  handle_rx: fentry: x; handle_tx: y\n"
                "\n"
                "LOST       TIMES  RECENT  WHAT IT MEANS\n"
                "ring_full  1,200     200  records without room\n"
                "NEVER LOST\n"
                "no_vm_slot, bad_record\n"
                "\n"
                "LIMITS\n"
                "256 VMs, 4,096 vCPUs, 64 subscribers, 4,096 alerts kept,\n"
                "a ring of 65,536 bytes\n");
}

TEST(FormatStatus, CountsTheSensorsOwnAlertsAsTheListOfOpenOnesDoes) {
  EXPECT_NE(Text(FromText<v1::GetStatusResponse>(
                     "faults { severity: WARNING } faults { severity: CRITICAL silenced_by: 2 }"),
                 {})
                .find("alerts    1 open: 1 WARNING (1 of the sensor itself); 1 silenced\n"),
            std::string::npos);
}

TEST(FormatStatus, AllIsWellWhereNothingIsWrong) {
  const auto status = FromText<v1::GetStatusResponse>(R"(
      last_tick { seconds: 185 } losses { reason: 'ring_full' } hooks { coverage: ACTIVE })");
  const std::string text = Text(status, {});
  EXPECT_EQ(text.substr(0, 4), "OK  ");
  EXPECT_NE(text.find("\nalerts    none open\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nlosses    none\n"), std::string::npos) << text;
  EXPECT_NE(Text(status, {.hooks = false, .specs = false, .losses = true})
                .find("NOTHING LOST\nNEVER LOST\nring_full\n"),
            std::string::npos);
}

TEST(FormatStatus, FitsTheScreenHoweverMuchIsWrong) {
  v1::GetStatusResponse status = SomeStatus();
  for (int i = 0; i < 50; ++i) {
    status.add_faults()->set_text(std::string(100, 'x') + std::to_string(i));
    v1::SpecStatus& spec = *status.add_specs();
    spec.set_point(static_cast<v1::Point>(i % 7 + 1));
    spec.set_coverage(i % 3 == 0 ? v1::UNOBSERVABLE : v1::ACTIVE);
  }
  status.mutable_host()->set_node(std::string(200, 'n'));
  status.mutable_journal()->set_path(std::string(200, 'p'));
  const std::vector<std::string> lines = absl::StrSplit(Text(status, {}), '\n');
  EXPECT_LE(lines.size(), 24U);
  for (const std::string& line : lines) EXPECT_LE(WidthOf(line), 80U) << line;
  const std::string wide = Text(status, {.wide = true});
  EXPECT_NE(wide.find("x49\n"), std::string::npos) << "nothing is cut";
  EXPECT_EQ(wide.find(" more: "), std::string::npos);
}

TEST(FormatStatus, ALongCauseIsBrokenWhereThereIsRoom) {
  const auto status = FromText<v1::GetStatusResponse>(R"(
      last_tick { seconds: 185 }
      specs { id: "s" point: K3 coverage: UNOBSERVABLE reason: "kvm_entry: silent" }
      hooks { name: "kvm_entry" coverage: UNOBSERVABLE lack: FAILED
              reason: "attached, but it did not fire when a VM was run for that" })");
  EXPECT_NE(
      Text(status, {})
          .find("\nWARNING   1 spec of K3 not seen: attached, but it did not fire when a VM was "
                "run\n"
                "          for that (kvm_entry)\n"),
      std::string::npos)
      << Text(status, {});
}

}  // namespace
}  // namespace kvmsentry
