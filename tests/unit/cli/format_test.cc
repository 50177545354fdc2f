#include "sensor/cli/format.h"

#include <string>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "sensor/cli/health.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

const Style kPlainStyle(false);

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::string Alert(const std::string& text) {
  return FormatAlert(Parse<v1::Alert>(text), kPlainStyle, absl::UTCTimeZone());
}

constexpr char kStorm[] = R"(
    severity: WARNING vm { name: "web-1" } spec_id: "pio-storm" at { seconds: 86400 nanos: 500000000 }
    summary: "web-1: 28,340 port accesses/s" why: "It may be an attack." look_at: "the device"
    evidence { key: "last_port" value: "0x3f8" } evidence { key: "a" value: "b" })";

TEST(FormatAlert, AnAlertThatOpensSaysWhyAndWhereToLook) {
  EXPECT_EQ(Alert(absl::StrCat(kStorm, "state: OPEN")),
            "1970-01-02 00:00:00.500  WARNING   OPEN     web-1               pio-storm         "
            "web-1: 28,340 port accesses/s\n"
            "    why:      It may be an attack.\n"
            "    look at:  the device\n"
            "    seen:     a b, last_port 0x3f8\n");
}

TEST(FormatAlert, ALaterStepIsOneLine) {
  EXPECT_EQ(Alert(absl::StrCat(kStorm, "state: CLEARED observation_lost: true")),
            "1970-01-02 00:00:00.500  WARNING   CLEARED  web-1               pio-storm         "
            "web-1: 28,340 port accesses/s (something was lost: values may be too low)\n");
}

TEST(FormatAlert, NothingInItCanCommandATerminal) {
  const std::string line = Alert(
      R"(state: OPEN vm { name: "\033[2J\n" } spec_id: "\007" summary: "\033]0;x" why: "\n"
         look_at: "\r" evidence { key: "\033" value: "\302\233" })");
  for (const char c : line) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 4);
}

TEST(FormatAlert, IsColoredOnDemand) {
  const std::string line =
      FormatAlert(Parse<v1::Alert>("severity: CRITICAL state: CLEARED vm { name: 'a' }"),
                  Style(true), absl::UTCTimeZone());
  EXPECT_NE(line.find("\x1b[1;31mCRITICAL\x1b[0m"), std::string::npos);
  EXPECT_NE(line.find("\x1b[32mCLEARED\x1b[0m"), std::string::npos);
}

TEST(FormatGap, SaysInWordsWhatIsMissing) {
  const auto format = [](const std::string& text) {
    return FormatGap(Parse<v1::Gap>(text), kPlainStyle);
  };
  EXPECT_EQ(format("from { epoch: 9 sequence: 2 } to { epoch: 9 sequence: 5 } "
                   "reason: SLOW_SUBSCRIBER"),
            "-- gap: 4 alerts are missing (9:2 to 9:5): this client did not read fast enough\n");
  EXPECT_EQ(format("from { epoch: 9 sequence: 2 } to { epoch: 9 sequence: 2 } "
                   "reason: NO_LONGER_KEPT"),
            "-- gap: 1 alert is missing (9:2): no longer kept\n");
  EXPECT_EQ(format("from { epoch: 8 sequence: 2 } to { epoch: 9 } reason: EPOCH_CHANGED"),
            "-- gap: the stream has started again since 8:2: what came after that in the earlier "
            "run is missing; continuing with the oldest that is kept\n");
  EXPECT_EQ(format("from { epoch: 9 sequence: 3 } to { epoch: 9 sequence: 7 } "
                   "reason: NOT_YET_WRITTEN"),
            "-- gap: position 9:7 is ahead of the stream, so it is not of this sensor; continuing "
            "with the oldest that is kept\n");
}

TEST(FormatVms, ATableAndTheCountsOnDemand) {
  const auto response = Parse<v1::ListVmsResponse>(R"(
      vms { vm { name: "calm" vmm: "qemu" pid: 12 uuid: "1f0c" } watched: true vcpus: 2
            first_seen { seconds: 60 } seen_from_birth: true counts { key: "pio.rate" value: 1234 }
            levels { key: "cpu.used" value: 0.5 } levels { key: "cpu.waiting" value: 12.4 }
            levels { key: "memory.resident" value: 62 } levels { key: "memory.huge" value: 2 }
            levels { key: "disk.read.byte.rate" value: 3e6 }
            levels { key: "disk.write.byte.rate" value: 5e5 }
            levels { key: "tap.to_guest.byte.rate" value: 10000 } }
      vms { vm { name: "vm-7" pid: 7 } unwatched_reason: "no slot was left for it" })");
  EXPECT_EQ(
      FormatVms(response, false, kPlainStyle, absl::UTCTimeZone()),
      "VM    VMM   PID  VCPUS   CPU  WAITS  MEMORY      DISK      NET  SCORE  OPEN  SINCE     "
      "           UUID  WATCHED\n"
      "calm  qemu   12      2  0.50    12%  64 MiB  3.5 MB/s  10 kB/s    0.0     0  1970-01-01"
      " 00:01:00  1f0c  from birth\n"
      "vm-7  -       7      -     -      -       -         -        -      -     -  -         "
      "           -     "
      "no: no slot was left for it\n");
  const std::string counts = FormatVms(response, true, kPlainStyle, absl::UTCTimeZone());
  EXPECT_NE(counts.find("\nVM    FEATURE   COUNT\n"
                        "calm  pio.rate  1,234\n"),
            std::string::npos)
      << counts;
  EXPECT_EQ(FormatVms({}, true, kPlainStyle, absl::UTCTimeZone()), "no VMs\n");
}

TEST(FormatDevices, ATableAndWhatIsNotInIt) {
  const auto response = Parse<v1::ListVmsResponse>(R"(
      vms { vm { name: "web" pid: 12 } watched: true devices_left_out: 1200
            devices { kind: TAP name: "tap0" pid: 12 fd: 7 files: 4 major: 10 minor: 200
                      writable: true }
            devices { kind: VHOST_NET name: "vhost-net" pid: 12 fd: 9 files: 1 major: 10 minor: 238
                      writable: true shared_by_process: true }
            devices { kind: DISK name: "/a\033" pid: 12 fd: 11 files: 1 major: 8 minor: 1 inode: 42 } }
      vms { vm { name: "none" } watched: true })");
  EXPECT_EQ(FormatDevices(response, kPlainStyle),
            "\nVM   DEVICE     NAME       NUMBER        PID  FD  REMARK\n"
            "web  tap        tap0       10:200         12   7  open 4 times\n"
            "web  vhost-net  vhost-net  10:238         12   9  "
            "of one of the VMs of this process, which is not known\n"
            "web  disk       /a\\x1b     8:1 inode 42   12  11  read only\n"
            "web has 1,200 more\n");
  EXPECT_EQ(FormatDevices({}, kPlainStyle),
            "\nno devices: no VM has one, or this kernel reports none, see kvmsentry status\n");
}

TEST(FormatExits, TheMostFrequentFirstThenTheTimes) {
  const auto response = Parse<v1::ListVmsResponse>(R"(
      vms { vm { name: "web" } watched: true exits {
            by_reason { key: "svm:hlt" value: 20 } by_reason { key: "svm:io" value: 3000 }
            by_reason { key: "svm:cpuid" value: 20 }
            log2_ns: 0 log2_ns: 0 log2_ns: 0 log2_ns: 4 log2_ns: 0 log2_ns: 7 } }
      vms { vm { name: "new" } watched: true })");
  EXPECT_EQ(FormatExits(response, kPlainStyle),
            "\n"
            "VM   EXIT       COUNT\n"
            "web  svm:io     3,000\n"
            "web  svm:cpuid     20\n"
            "web  svm:hlt       20\n"
            "\n"
            "VM   EXIT TO ENTRY  SAMPLES\n"
            "web  from 8ns             4\n"
            "web  from 32ns            7\n");
  EXPECT_EQ(FormatExits({}, kPlainStyle),
            "\nno exits: this kernel reports none, see kvmsentry status\n");
}

v1::GetStatusResponse SomeStatus() {
  return Parse<v1::GetStatusResponse>(R"(
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
      specs { id: "pio-storm" coverage: ACTIVE }
      specs { id: "exit-storm" coverage: UNOBSERVABLE reason: "kvm_exit: no such tracepoint" }
      specs { id: "turns" coverage: UNOBSERVABLE reason: "handle_rx: fentry: x; handle_tx: y" }
      losses { reason: "ring_full" meaning: "records without room" count: 1200 recent: 200 matters: true }
      losses { reason: "no_vm_slot" meaning: "VMs" } losses { reason: "bad_record" meaning: "m" }
      limits { max_vms: 256 max_vcpus: 4096 max_subscribers: 64 alerts_kept: 4096 ring_bytes: 65536 }
      last_alert { epoch: 9 sequence: 3 } subscribers: 1 vms_watched: 2 vms_unwatched: 1
      vms_hidden: 4 pins_recreated: true pins_recreated_reason: "layout 1, not 2"
      cost_percent: 0.25 cost_budget_percent: 2
      faults { id: "self-cost" severity: WARNING text: "programs are too dear: x" }
      faults { severity: CRITICAL text: "the sensor's pins were removed: the pin x" })");
}

std::string Text(const v1::GetStatusResponse& status, const StatusParts& parts) {
  return FormatStatus(status, parts, kPlainStyle, absl::FromUnixSeconds(185), absl::UTCTimeZone());
}

TEST(FormatStatus, SaysOnOneScreenWhetherAllIsWell) {
  EXPECT_EQ(Text(SomeStatus(), {}),
            "CRITICAL  kvmsentryd 0.1.0 on n1, kernel 6.1.0\n"
            "running   2m5s, since 1970-01-01 00:01:00; monitoring gap before: 12s\n"
            "VMs       2 watched, 1 not watched, 4 hidden\n"
            "alerts    last one 9:3; 1 subscriber\n"
            "journal   in memory only, lost by a restart; see --state-dir\n"
            "hooks     1 of 4 active\n"
            "specs     1 of 3 active\n"
            "losses    for 1 reason, of which 1 within 20 min\n"
            "cost      0.25% of all CPUs; budget 2%\n"
            "pressure  cpu 12.5%, io 0.5% of the last 10 s\n"
            "\n"
            "CRITICAL  the sensor's pins were removed: the pin x\n"
            "CRITICAL  4 VMs hidden: KVM counts more than any process has open\n"
            "WARNING   programs are too dear: x\n"
            "WARNING   1 VM not watched: see kvmsentry vms\n"
            "WARNING   lost 200 times within 20 min, ring_full: records without room\n"
            "WARNING   1 spec, 1 hook off: no such tracepoint\n"
            "note      1 spec, 2 hooks off: module vhost_net not loaded\n"
            "note      counts of an earlier run were removed: layout 1, not 2\n");
}

TEST(FormatStatus, ShowsThePartsThatAreAskedFor) {
  const std::string summary = Text(SomeStatus(), {});
  EXPECT_EQ(Text(SomeStatus(), {.hooks = true, .specs = false, .losses = false}),
            summary +
                "\n"
                "HOOK       COVERAGE      BY      NS     COST  REMARK\n"
                "kvm_pio    ACTIVE        tp_btf  41  0.0123%\n"
                "kvm_exit   UNOBSERVABLE  -        -        -  no such tracepoint; lost: exits\n"
                "handle_rx  UNOBSERVABLE  -        -        -  module vhost_net not loaded\n"
                "handle_tx  UNOBSERVABLE  -        -        -  module vhost_net not loaded\n");
  EXPECT_EQ(Text(SomeStatus(), {.hooks = false, .specs = true, .losses = true}),
            summary +
                "\n"
                "SPEC        COVERAGE      REMARK\n"
                "pio-storm   ACTIVE\n"
                "exit-storm  UNOBSERVABLE  kvm_exit: no such tracepoint\n"
                "turns       UNOBSERVABLE  handle_rx: fentry: x; handle_tx: y\n"
                "\n"
                "LOST       TIMES  WHAT IT MEANS\n"
                "ring_full  1,200  records without room\n"
                "never: no_vm_slot, bad_record\n"
                "\n"
                "LIMITS\n"
                "256 VMs, 4,096 vCPUs, 64 subscribers, 4,096 alerts kept, a ring of 65,536 "
                "bytes\n");
}

TEST(FormatStatus, AllIsWellWhereNothingIsWrong) {
  const auto status = Parse<v1::GetStatusResponse>(R"(
      last_tick { seconds: 185 } losses { reason: 'ring_full' } hooks { coverage: ACTIVE })");
  const std::string text = Text(status, {});
  EXPECT_EQ(text.substr(0, 4), "OK  ");
  EXPECT_NE(text.find("\nalerts    none yet"), std::string::npos) << text;
  EXPECT_NE(text.find("\nlosses    none\n"), std::string::npos) << text;
  EXPECT_NE(Text(status, {.hooks = false, .specs = false, .losses = true})
                .find("NOTHING LOST\nnever: ring_full\n"),
            std::string::npos);
}

TEST(FormatStatus, FitsTheScreenHoweverMuchIsWrong) {
  v1::GetStatusResponse status = SomeStatus();
  for (int i = 0; i < 50; ++i) {
    status.add_faults()->set_text(std::string(100, 'x') + std::to_string(i));
  }
  const std::vector<std::string> lines = absl::StrSplit(Text(status, {}), '\n');
  EXPECT_LE(lines.size(), 24U);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
}

Health HealthOfText(const std::string& text) {
  return HealthOf(FindingsOf(Parse<v1::GetStatusResponse>(text), absl::FromUnixSeconds(100)));
}

TEST(Health, IsThatOfTheWorstFinding) {
  EXPECT_EQ(HealthOfText("last_tick { seconds: 99 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("last_tick { seconds: 90 }"), Health::kCritical);
  EXPECT_EQ(HealthOfText("vms_unwatched: 1"), Health::kWarning);
  EXPECT_EQ(HealthOfText("vms_hidden: 1 vms_unwatched: 1"), Health::kCritical);
  EXPECT_EQ(HealthOfText("faults { severity: CRITICAL }"), Health::kCritical);
  EXPECT_EQ(HealthOfText("faults { severity: WARNING }"), Health::kWarning);
  EXPECT_EQ(HealthOfText("hooks { name: 'a' coverage: DEGRADED reason: 'r' }"), Health::kOk)
      << "no spec needs it";
  const std::string spec = "specs { coverage: DEGRADED reason: 'a: r' }";
  EXPECT_EQ(HealthOfText("hooks { name: 'a' coverage: DEGRADED reason: 'r' }" + spec),
            Health::kWarning);
}

TEST(Health, OnlyALossOfNowThatMattersIsAWarning) {
  EXPECT_EQ(HealthOfText("losses { reason: 'x' count: 9 matters: true }"), Health::kOk)
      << "an earlier run's, or hours old";
  EXPECT_EQ(HealthOfText("losses { reason: 'late_tick' count: 9 recent: 1 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("losses { reason: 'x' count: 9 recent: 1 matters: true }"),
            Health::kWarning);
}

// As of an AMD host, on which kvm_intel's tracepoints are not raised, and of one without KVM.
TEST(Health, OnlyAHookThatFailedIsAWarning) {
  const std::string specs = "specs { coverage: UNOBSERVABLE reason: 'kvm_cr: r' }";
  const auto health_with = [&specs](const std::string& lack) {
    return HealthOfText(specs + "hooks { name: 'kvm_cr' coverage: UNOBSERVABLE reason: 'r' " +
                        lack + "}");
  };
  for (const char* expected : {"NOT_APPLICABLE", "MODULE_MISSING", "SWITCHED_OFF"}) {
    EXPECT_EQ(health_with(absl::StrCat("lack: ", expected)), Health::kOk) << expected;
  }
  EXPECT_EQ(health_with("lack: FAILED"), Health::kWarning);
  EXPECT_EQ(health_with(""), Health::kWarning);
}

TEST(Health, ACauseOfManyHooksIsOneFinding) {
  std::string hooks;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&hooks, "hooks { name: 'kvm_", i, "' coverage: UNOBSERVABLE ",
                    "lack: MODULE_MISSING reason: 'module kvm not loaded' }");
  }
  const auto findings = FindingsOf(Parse<v1::GetStatusResponse>(hooks), absl::FromUnixSeconds(100));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text, "0 specs, 20 hooks off: module kvm not loaded");
}

TEST(FormatSpec, TellsItInWords) {
  const auto spec = Parse<v1::SpecInfo>(R"(
    id: "pio-storm" point: K2 feature: "pio.rate" severity: WARNING
    norm_text: "at most 20,000/s over 1s" selector_text: "all VMs" coverage: DEGRADED
    reason: "kvm_track_tsc: gone" occurrences: "port accesses" hooks: "kvm_pio" hooks: "other"
    weight: 30 why: "It matters." look_at: "There.")");
  EXPECT_EQ(FormatSpec(spec, Style(false)),
            "pio-storm\n"
            "    point:     K2, leaving the VM (guest to host)\n"
            "    watches:   port accesses of all VMs (pio.rate, by kvm_pio, other)\n"
            "    normal:    at most 20,000/s over 1s\n"
            "    otherwise: an alert of severity WARNING; the VM's score rises by 30, and the "
            "further from normal, the more\n"
            "    why:       It matters.\n"
            "    look at:   There.\n"
            "    here:      DEGRADED: it is watched on this host, but kvm_track_tsc: gone\n");
}

TEST(FormatSpecs, ATable) {
  EXPECT_EQ(FormatSpecs(Parse<v1::ListSpecsResponse>(R"(
      specs { id: "pio-storm" point: K2 feature: "pio.rate" severity: WARNING
              norm_text: "at most 20,000/s" selector_text: "all VMs" coverage: DEGRADED
              reason: "why" })"),
                        kPlainStyle),
            "SPEC       POINT  SEVERITY  FROM     FEATURE   NORM              FOR      COVERAGE\n"
            "pio-storm  K2     WARNING   shipped  pio.rate  at most 20,000/s  all VMs  "
            "DEGRADED: why\n");
  const std::string layered = FormatSpecs(Parse<v1::ListSpecsResponse>(R"(
      specs { id: "a" severity: WARNING observe_only: true
              origin { layer: SHIPPED changes { field: "mode" } } }
      specs { id: "b" severity: WARNING origin { layer: SITE } }
      disabled { id: "c" place: "f:1:2" })"),
                                          kPlainStyle);
  EXPECT_NE(layered.find("(observed)  changed"), std::string::npos) << layered;
  EXPECT_NE(layered.find("WARNING     site"), std::string::npos) << layered;
  EXPECT_NE(layered.find("\ndisabled: c, f:1:2\n"), std::string::npos) << layered;
}

TEST(FormatSpec, SaysWhereEachFieldComesFromAndToWhichVmsItApplies) {
  const std::string text = FormatSpec(Parse<v1::SpecInfo>(R"(
      id: "a" severity: WARNING weight: 7 observe_only: true tags: ["x", "y"] mitre: "T1611"
      origin { layer: SHIPPED place: "K2:1:1"
               changes { field: "mode" before: "ALERT" after: "OBSERVE" place: "s:2:3" }
               changes { field: "except" after: "{ vm: \"ci-*\" }" place: "s:3:3" }
               changes { field: "hold" after: "{ seconds: 1 }" place: "s:4:3" } }
      selections { vm { name: "ci-1" } verdict: EXCEPTED reason: "its name matches, at s:3:3" }
      selections { vm { name: "web" } verdict: SELECTED reason: "it selects every VM" })"),
                                      kPlainStyle);
  for (const char* line :
       {"    otherwise: observed only: an alert of severity INFO that counts for nothing; once it "
        "alerts, of WARNING and weight 7\n",
        "    tags:      x, y\n", "    ATT&CK:    T1611\n", "    from:      shipped, K2:1:1\n",
        "    changed:   mode ALERT -> OBSERVE, s:2:3\n",
        "    changed:   except + { vm: \"ci-*\" }, s:3:3\n",
        "    changed:   hold (absent) -> { seconds: 1 }, s:4:3\n",
        "    VM:        ci-1 is excepted: its name matches, at s:3:3\n",
        "    VM:        web is selected: it selects every VM\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
  EXPECT_EQ(text.find("here:"), std::string::npos) << "no daemon was asked";
}

TEST(FormatStatus, SaysWhatIsLoadedAndWhatWasRefused) {
  const auto line = [](const std::string& library) {
    const std::string text =
        FormatStatus(Parse<v1::GetStatusResponse>("library { " + library + " }"), {}, kPlainStyle,
                     absl::FromUnixSeconds(0), absl::UTCTimeZone());
    const size_t at = text.find("\nlibrary");
    return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  EXPECT_EQ(line("shipped_specs: 70 site_specs: 1 loaded_at { seconds: 60 }"),
            "library   70 shipped, 1 site; loaded 01-01 00:01:00");
  EXPECT_EQ(line("shipped_specs: 70 overridden_specs: 2 disabled_specs: 3 loaded_at { seconds: 60 }"
                 "refused_reason: \"s:1:1: error: no\" refused_at { seconds: 120 }"),
            "library   70 shipped, 0 site, 2 changed, 3 disabled; REFUSED 01-01 00:02:00");
  EXPECT_EQ(line(""), "");
}

TEST(JsonLine, IsOneObjectALineWithTheNamesOfTheProtos) {
  EXPECT_EQ(JsonLine(Parse<v1::SubscribeResponse>(
                "gap { from { epoch: 9 } to { epoch: 9 sequence: 5 } reason: SLOW_SUBSCRIBER }")),
            R"({"gap":{"from":{"epoch":"9","sequence":"0"},)"
            R"("to":{"epoch":"9","sequence":"5"},"reason":"SLOW_SUBSCRIBER"}})"
            "\n");
  const std::string alert = JsonLine(Parse<v1::SubscribeResponse>(
      R"(alert { spec_id: "a\nb" observation_lost: false vm { name: "x" } })"));
  EXPECT_EQ(alert.rfind(R"({"alert":{)", 0), 0U);
  EXPECT_NE(alert.find(R"("spec_id":"a\nb")"), std::string::npos) << alert;
  EXPECT_NE(alert.find(R"("observation_lost":false)"), std::string::npos) << alert;
  EXPECT_EQ(alert.find('\n'), alert.size() - 1);
}

}  // namespace
}  // namespace kvmsentry
