#include "sensor/rpc/convert.h"

#include <string>

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "bpf/kvm/exit_reason.h"

namespace kvmsentry {
namespace {

// Compares with TEXT; both ways round, so that no field can be forgotten on either side.
template <typename Message>
void ExpectIs(const Message& message, const std::string& text) {
  Message expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &expected));
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, message)) << difference;
}

JournaledAlert FullAlert() {
  JournaledAlert alert;
  alert.position = {7, 42};
  alert.host = {.node = "n", .machine_id = "m", .boot_id = "b", .kernel_release = {}};
  alert.at = absl::FromUnixMillis(2'000'500);
  alert.opened_at = absl::FromUnixSeconds(1'000);
  AlertEvent& event = alert.event;
  event.key = "k";
  event.state = AlertState::kUpdated;
  event.severity = Severity::kWarning;
  event.point = Point::kR5;
  event.spec_id = "pio-storm";
  event.feature = "pio.rate";
  event.vm = {.id = {3}, .name = "web", .uuid = "u", .vmm = "qemu", .cgroup = "/c", .pid = 99};
  event.at = {5};
  event.value = 1.5;
  event.limit = 1.25;
  event.unit = "1/s";
  event.value_text = "v";
  event.norm_text = "t";
  event.window_ns = 1'500'000'000;
  event.occurrences = 6;
  event.count = 8;
  event.score_millipoints = 30'500;
  event.contribution_millipoints = 250;
  event.summary = "s";
  event.why = "w";
  event.look_at = "l";
  event.evidence = {{"last_port", "0x3f8"}};
  event.observation_lost = true;
  event.observe_only = true;
  event.tags = {"escape"};
  event.mitre = {"T1611"};
  return alert;
}

TEST(Convert, AnAlertWithEveryField) {
  ExpectIs(ToProto(FullAlert()), R"(
    position { epoch: 7 sequence: 42 } key: "k" state: UPDATED severity: WARNING point: R5
    spec_id: "pio-storm" feature: "pio.rate" host { node: "n" machine_id: "m" boot_id: "b" }
    vm { id: 3 name: "web" uuid: "u" pid: 99 vmm: "qemu" cgroup: "/c" }
    at { seconds: 2000 nanos: 500000000 } kernel_time_ns: 5 opened_at { seconds: 1000 }
    observed { value: 1.5 limit: 1.25 unit: "1/s" value_text: "v" norm_text: "t"
               window { seconds: 1 nanos: 500000000 } occurrences: 6 }
    count: 8 vm_score: 30.5 contribution: 0.25 summary: "s" why: "w" look_at: "l"
    evidence { key: "last_port" value: "0x3f8" } observation_lost: true observe_only: true tags: "escape" mitre: "T1611")");
}

TEST(Convert, ALibraryAndWhyAnotherWasRefused) {
  LibraryView library{.sha256 = "00ff",
                      .loaded_at = absl::FromUnixSeconds(5),
                      .shipped = 4,
                      .site = 3,
                      .overridden = 2};
  library.disabled.resize(1);
  ExpectIs(ToProto(library), R"(sha256: "00ff" loaded_at { seconds: 5 } shipped_specs: 4
    site_specs: 3 overridden_specs: 2 disabled_specs: 1)");
  library.refused = "site:1:2: error: \x1b";
  library.refused_at = absl::FromUnixSeconds(6);
  EXPECT_EQ(ToProto(library).refused_reason(), "site:1:2: error: \\x1b");
  EXPECT_EQ(ToProto(library).refused_at().seconds(), 6);
}

TEST(Convert, AScoreBandHasNoPoint) {
  JournaledAlert alert = FullAlert();
  alert.event.point = Point::kNone;
  EXPECT_EQ(ToProto(alert).point(), v1::POINT_UNSPECIFIED);
}

TEST(Convert, TextThatIsNoUtf8CannotBreakTheStream) {
  const std::string bad = "a\xff\x1b[2J\xed\xa0\x80";
  JournaledAlert alert = FullAlert();
  AlertEvent& event = alert.event;
  for (std::string* text :
       {&event.key, &event.spec_id, &event.feature, &event.unit, &event.value_text,
        &event.norm_text, &event.summary, &event.why, &event.look_at, &event.vm.name,
        &event.tags[0], &event.mitre[0], &event.vm.uuid, &event.vm.vmm, &event.vm.cgroup,
        &alert.host.node, &alert.host.machine_id, &alert.host.boot_id}) {
    *text = bad;
  }
  event.evidence = {{bad, bad}};
  const v1::Alert proto = ToProto(alert);
  v1::Alert parsed;
  EXPECT_TRUE(parsed.ParseFromString(proto.SerializeAsString()));
  EXPECT_EQ(parsed.vm().name(), "a\\xff\\x1b[2J\\xed\\xa0\\x80");
}

TEST(Convert, EscapedTextStaysAsItIs) {
  JournaledAlert alert = FullAlert();
  alert.event.vm.name = "a\\x1bb\\x5c";
  EXPECT_EQ(ToProto(alert).vm().name(), "a\\x1bb\\x5c");
}

TEST(Convert, TimesThatATimestampCannotHoldCanStillBePrinted) {
  for (const absl::Time time :
       {absl::InfinitePast(), absl::InfiniteFuture(), absl::UnixEpoch() - absl::Nanoseconds(1)}) {
    v1::Heartbeat heartbeat;
    *heartbeat.mutable_at() = ToProto(time);
    std::string json;
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(heartbeat, &json).ok()) << time;
  }
  ExpectIs(ToProto(absl::UnixEpoch() - absl::Nanoseconds(1)), "seconds: -1 nanos: 999999999");
  ExpectIs(ToProto(-absl::Seconds(1)), "");
}

TEST(Convert, TheExitsOfAVmAreThoseOfItsVcpus) {
  const uint32_t hlt = exit_member(KS_ISA_SVM, 0x78);
  VmView vm;
  vm.exits.push_back(
      {.vm = {3}, .index = 0, .by_reason = {{hlt, 2}}, .log2_ns = {0, 1}, .sample = {}});
  vm.exits.push_back({.vm = {3},
                      .index = 1,
                      .by_reason = {{hlt, 3}, {exit_member(KS_ISA_SVM, KS_EXIT_OTHER), 1}},
                      .log2_ns = {4, 1, 5},
                      .sample = ExitSample{.reason = hlt, .rip = 16, .cr3 = {}, .cpl = 3}});
  ExpectIs(ToProto(vm).exits(), R"(
      by_reason { key: "svm:hlt" value: 5 } by_reason { key: "svm:other" value: 1 }
      log2_ns: 4 log2_ns: 2 log2_ns: 5)");
  EXPECT_EQ(ToProto(vm).vcpu_exits_size(), 0);
  const v1::VmStatus by_vcpu = ToProto(vm, /*vcpu_exits=*/true);
  ASSERT_EQ(by_vcpu.vcpu_exits_size(), 2);
  ExpectIs(by_vcpu.vcpu_exits(1), R"(
      index: 1 exits { by_reason { key: "svm:hlt" value: 3 }
                       by_reason { key: "svm:other" value: 1 }
                       log2_ns: 4 log2_ns: 1 log2_ns: 5 }
      sampled_reason: "svm:hlt" rip: 16 cpl: 3)");
}

TEST(Convert, AGap) {
  ExpectIs(ToProto(Gap{{7, 1}, {8, 0}, GapReason::kEpochChanged}),
           "from { epoch: 7 sequence: 1 } to { epoch: 8 } reason: EPOCH_CHANGED");
}

TEST(Convert, AVm) {
  ExpectIs(
      ToProto(VmView{
          .vm = {.id = {3}, .name = "web", .uuid = "", .vmm = "qemu", .cgroup = "/", .pid = -1},
          .watched = false,
          .unwatched_reason = "no slot",
          .vcpus = 2,
          .score_millipoints = 1'500,
          .open_alerts = 1,
          .first_seen = absl::FromUnixSeconds(9),
          .seen_from_birth = true,
          .counts = {{"pio.rate", 4}},
          .levels = {{"cpu.used", 0.5}},
          .devices = {.devices = {{.kind = DeviceKind::kTap,
                                   .name = "tap0\x1b",
                                   .pid = 7,
                                   .fd = 9,
                                   .files = 2,
                                   .major = 10,
                                   .minor = 200,
                                   .object = 0xffff888000000000,
                                   .writable = true,
                                   .shared_by_process = true},
                                  {.name = "/d", .inode = 42, .block = true}},
                      .left_out = 3},
          .exits = {}}),
      R"(vm { id: 3 name: "web" vmm: "qemu" cgroup: "/" } unwatched_reason: "no slot" vcpus: 2
              score: 1.5 open_alerts: 1 first_seen { seconds: 9 } seen_from_birth: true
              counts { key: "pio.rate" value: 4 }
              devices { kind: TAP name: "tap0\\x1b" pid: 7 fd: 9 files: 2 major: 10 minor: 200
                        writable: true shared_by_process: true }
              devices { kind: DISK name: "/d" files: 1 inode: 42 block: true }
              devices_left_out: 3
              levels { key: "cpu.used" value: 0.5 })");
}

TEST(Convert, AStatus) {
  SensorStatus status;
  status.host.node = "n";
  status.version = "0.1.0";
  status.kernel_release = "6.1";
  status.libbpf_version = "1.1";
  status.started_at = absl::FromUnixSeconds(5);
  status.unobserved = absl::Seconds(12);
  status.hooks = {{.name = "kvm_pio",
                   .coverage = Coverage::kUnobservable,
                   .variant = "",
                   .reason = "r",
                   .provides = "p",
                   .lack = Lack::kFailed}};
  status.losses = {
      {.reason = "ring_full", .meaning = "m", .count = 7, .matters = true, .recent = 3}};
  status.faults = {{.id = "self-cost", .severity = Severity::kWarning, .text = "t"}};
  status.vms_watched = 2;
  status.vms_unwatched = 41;
  status.vms_hidden = 0;
  status.pins_recreated_because = "layout 1";
  status.max_vms = 1;
  status.max_vcpus = 2;
  status.ring_bytes = 3;
  status.specs = {{.id = "pio-storm", .coverage = Coverage::kDegraded, .reason = "why"}};
  ExpectIs(ToProto(status), R"(
    host { node: "n" } version: "0.1.0" kernel_release: "6.1" libbpf_version: "1.1"
    started_at { seconds: 5 } unobserved { seconds: 12 }
    hooks { name: "kvm_pio" coverage: UNOBSERVABLE reason: "r" provides: "p" lack: FAILED }
    specs { id: "pio-storm" coverage: DEGRADED reason: "why" }
    losses { reason: "ring_full" meaning: "m" count: 7 recent: 3 matters: true }
    faults { id: "self-cost" severity: WARNING text: "t" }
    limits { max_vms: 1 max_vcpus: 2 ring_bytes: 3 } vms_watched: 2 vms_unwatched: 41
    vms_hidden: 0 pins_recreated: true pins_recreated_reason: "layout 1")");
}

}  // namespace
}  // namespace kvmsentry
