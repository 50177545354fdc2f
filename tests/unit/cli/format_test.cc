#include "sensor/cli/format.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sensor/rpc/json.h"
#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

const Style kPlainStyle(false);

std::vector<v1::VmStatus> Vms(const std::string& text) {
  const auto response = FromText<v1::ListVmsResponse>(text);
  return {response.vms().begin(), response.vms().end()};
}

TEST(FormatDevices, ATableAndWhatIsNotInIt) {
  const auto vms = Vms(R"(
      vms { vm { name: "web" pid: 12 } watched: true devices_left_out: 1200
            devices { kind: TAP name: "tap0" pid: 12 fd: 7 files: 4 major: 10 minor: 200
                      writable: true }
            devices { kind: VHOST_NET name: "vhost-net" pid: 12 fd: 9 files: 1 major: 10 minor: 238
                      writable: true shared_by_process: true }
            devices { kind: DISK name: "/a\033" pid: 12 fd: 11 files: 1 major: 8 minor: 1 inode: 42 } }
      vms { vm { name: "none" } watched: true })");
  EXPECT_EQ(FormatDevices(vms, PlainLook(kAnyWidth)),
            "\nVM   DEVICE     NAME       NUMBER        PID  FD  REMARK\n"
            "web  tap        tap0       10:200         12   7  open 4 times\n"
            "web  vhost-net  vhost-net  10:238         12   9  "
            "of the VMs of this process; counts as the oldest one's\n"
            "web  disk       /a\\x1b     8:1 inode 42   12  11  read only\n"
            "web has 1,200 more\n");
  EXPECT_EQ(FormatDevices({}, PlainLook()),
            "\nno devices: no VM has one, or this kernel reports none, see kvmsentry status\n");
}

TEST(FormatExits, TheMostFrequentFirstThenTheTimes) {
  const auto vms = Vms(R"(
      vms { vm { name: "web" } watched: true exits {
            by_reason { key: "svm:hlt" value: 20 } by_reason { key: "svm:io" value: 3000 }
            by_reason { key: "svm:cpuid" value: 20 }
            log2_ns: 0 log2_ns: 0 log2_ns: 0 log2_ns: 4 log2_ns: 0 log2_ns: 7 } }
      vms { vm { name: "new" } watched: true })");
  EXPECT_EQ(FormatExits(vms, kPlainStyle),
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

TEST(FormatSpec, TellsItInWords) {
  const auto spec = FromText<v1::SpecInfo>(R"(
    id: "pio-storm" point: K2 feature: "pio.rate" severity: WARNING
    whole_norm_text: "at most 20,000/s over 1s" whole_selector_text: "all VMs" coverage: DEGRADED
    reason: "kvm_track_tsc: gone" occurrences: "port accesses" hooks: "kvm_pio" hooks: "other"
    weight: 30 why: "It matters." look_at: "There.")");
  EXPECT_EQ(FormatSpec(spec, PlainLook()),
            "pio-storm\n"
            "    point:     K2, leaving the VM (guest to host)\n"
            "    watches:   port accesses (pio.rate, by kvm_pio, other)\n"
            "    for:       all VMs\n"
            "    normal:    at most 20,000/s over 1s\n"
            "    otherwise: an alert of severity WARNING; the VM's score rises by 30, and the\n"
            "               further from normal, the more\n"
            "    why:       It matters.\n"
            "    look at:   There.\n"
            "    here:      DEGRADED: it is watched on this host, but kvm_track_tsc: gone\n");
}

TEST(FormatSpec, NamesNoHookWhereItsFeatureHasNone) {
  const std::string text = FormatSpec(FromText<v1::SpecInfo>(R"(
      id: "a" feature: "vm.runner" occurrences: "users and programs that run it"
      whole_selector_text: "all VMs, except VMs named ci-*")"),
                                      PlainLook());
  EXPECT_NE(text.find("    watches:   users and programs that run it (vm.runner)\n"
                      "    for:       all VMs, except VMs named ci-*\n"),
            std::string::npos)
      << text;
}

TEST(FormatSpecs, ATableThatFitsAndOneWithAll) {
  const auto response = FromText<v1::ListSpecsResponse>(R"(
      specs { id: "pio-storm" point: K2 feature: "pio.rate" severity: WARNING
              norm_text: "at most 20,000/s over 1s, and what else there is to say" selector_text: "all VMs"
              coverage: DEGRADED reason: "why" })");
  EXPECT_EQ(FormatSpecs(response, PlainLook()),
            "SPEC       POINT  SEVERITY  FROM     COVERAGE\n"
            "pio-storm  K2     WARNING   shipped  DEGRADED\n");
  EXPECT_EQ(FormatSpecs(response, PlainLook(kAnyWidth)),
            "SPEC       POINT  SEVERITY  FROM     FEATURE   NORM                                   "
            "       "
            "           FOR      COVERAGE\n"
            "pio-storm  K2     WARNING   shipped  pio.rate  at most 20,000/s over 1s, and what "
            "else there "
            "is to say  all VMs  DEGRADED: why\n");
  const std::string id(64, 'x');
  EXPECT_NE(FormatSpecs(FromText<v1::ListSpecsResponse>("specs { id: '" + id + "' }"), PlainLook())
                .find(id),
            std::string::npos)
      << "what tells rows apart is whole";
  const std::string layered = FormatSpecs(FromText<v1::ListSpecsResponse>(R"(
      specs { id: "a" severity: WARNING observe_only: true
              origin { layer: SHIPPED changes { field: "mode" } } }
      specs { id: "b" severity: WARNING origin { layer: SITE } }
      disabled { id: "c" place: "f:1:2" })"),
                                          PlainLook(kAnyWidth));
  EXPECT_NE(layered.find("(observed)  changed"), std::string::npos) << layered;
  EXPECT_NE(layered.find("WARNING     site"), std::string::npos) << layered;
  EXPECT_NE(layered.find("\ndisabled: c, f:1:2\n"), std::string::npos) << layered;
}

TEST(FormatSpec, SaysWhereEachFieldComesFromAndToWhichVmsItApplies) {
  const std::string text = FormatSpec(FromText<v1::SpecInfo>(R"(
      id: "a" severity: WARNING weight: 7 observe_only: true tags: ["x", "y"] mitre: "T1611"
      origin { layer: SHIPPED place: "K2:1:1"
               changes { field: "mode" before: "ALERT" after: "OBSERVE" place: "s:2:3" }
               changes { field: "except" after: "{ vm: \"ci-*\" }" place: "s:3:3" }
               changes { field: "hold" after: "{ seconds: 1 }" place: "s:4:3" } }
      selections { vm { name: "ci-1" } verdict: EXCEPTED reason: "its name matches, at s:3:3" }
      selections { vm { name: "web" } verdict: SELECTED reason: "it selects every VM" })"),
                                      PlainLook(kAnyWidth));
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
        FormatStatus(FromText<v1::GetStatusResponse>("library { " + library + " }"), {},
                     kPlainStyle, absl::FromUnixSeconds(0), absl::UTCTimeZone());
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
  EXPECT_EQ(JsonLine(FromText<v1::SubscribeResponse>(
                "gap { from { epoch: 9 } to { epoch: 9 sequence: 5 } reason: SLOW_SUBSCRIBER }")),
            R"({"gap":{"from":{"epoch":"9","sequence":"0"},)"
            R"("to":{"epoch":"9","sequence":"5"},"reason":"SLOW_SUBSCRIBER"}})"
            "\n");
  const std::string alert = JsonLine(FromText<v1::SubscribeResponse>(
      R"(alert { spec_id: "a\nb" observation_lost: false vm { name: "x" } })"));
  EXPECT_EQ(alert.rfind(R"({"alert":{)", 0), 0U);
  EXPECT_NE(alert.find(R"("spec_id":"a\nb")"), std::string::npos) << alert;
  EXPECT_NE(alert.find(R"("observation_lost":false)"), std::string::npos) << alert;
  EXPECT_EQ(alert.find('\n'), alert.size() - 1);
}

}  // namespace
}  // namespace kvmsentry
