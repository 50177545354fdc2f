#include "sensor/source/vmm/acts.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "sensor/source/catalogue.h"
#include "sensor/source/decode.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

ks_vmm_act Act(ks_act act, absl::string_view actor = {}, absl::string_view text = {}) {
  ks_vmm_act record{};
  record.header = {.version = KS_LAYOUT_VERSION,
                   .kind = KS_RECORD_ACT,
                   .size = sizeof(ks_vmm_act),
                   .time_ns = 1000,
                   .vm_serial = 7};
  record.source = KS_SOURCE_VMM;
  record.act = static_cast<uint16_t>(act);
  actor.copy(record.actor, sizeof(record.actor));
  text.copy(record.text, sizeof(record.text));
  return record;
}

ks_vmm_act Endpoint(ks_act act, uint32_t family, std::initializer_list<uint8_t> address) {
  ks_vmm_act record = Act(act);
  record.family = family;
  record.port = 443;
  std::copy(address.begin(), address.end(), record.address);
  return record;
}

// Through the decoder of the ring.
std::string TextOf(const ks_vmm_act& act, absl::string_view feature) {
  const auto record = Decode(std::as_bytes(std::span(&act, 1)));
  EXPECT_TRUE(record.ok()) << record.status();
  if (!record.ok()) return "";
  const auto& observation = std::get<Observation>(*record);
  EXPECT_EQ(FeatureOf(observation.feature).name, feature);
  EXPECT_EQ(observation.kind, ObservationKind::kMember);
  EXPECT_EQ(observation.vm, VmId{7});
  return observation.member->text;
}

TEST(DecodeActTest, EachSaysWhatItIsOf) {
  EXPECT_EQ(TextOf(Act(KS_ACT_PROGRAM, "qemu", "/bin/sh"), "vmm.program"), "/bin/sh");
  EXPECT_EQ(TextOf(Act(KS_ACT_SERVICE, "qemu", "/run/docker.sock"), "vmm.service"),
            "/run/docker.sock");
  EXPECT_EQ(TextOf(Act(KS_ACT_ENTERED, "gdb"), "vmm.entered"), "gdb");
  EXPECT_EQ(TextOf(Act(KS_ACT_DRIVEN, "python3"), "vm.driver"), "python3");
  EXPECT_EQ(TextOf(Act(KS_ACT_CLIENT, "socat", "/run/m"), "vmm.client"), "socat /run/m");
  EXPECT_EQ(TextOf(Act(KS_ACT_CLIENT, "socat"), "vmm.client"), "socat -");
  EXPECT_EQ(TextOf(Act(KS_ACT_IMAGE_READ, "cat", "a.img"), "image.reader"), "cat");
  EXPECT_EQ(TextOf(Act(KS_ACT_IMAGE_WRITTEN, "dd", "a.img"), "image.writer"), "dd");
  EXPECT_EQ(TextOf(Act(KS_ACT_IMAGE_CHANGED, "mv", "a.img"), "image.changer"), "mv");
  EXPECT_EQ(TextOf(Act(KS_ACT_MEMORY_OPENED, "dd", "ram"), "memory.opened"), "dd ram");
  EXPECT_EQ(TextOf(Act(KS_ACT_FOREIGN_IMAGE, "qemu", "a.img"), "image.foreign"), "a.img");
  EXPECT_EQ(TextOf(Act(KS_ACT_FILE_READ, "qemu", "/etc/shadow"), "vmm.file.read"), "/etc/shadow");
  ks_vmm_act cut = Act(KS_ACT_FILE_WRITTEN, "qemu", "/a/b");
  cut.cut = KS_CUT_END;
  EXPECT_EQ(TextOf(cut, "vmm.file.written"), "/a/b...");
  cut.cut = KS_CUT_BEGIN;
  EXPECT_EQ(TextOf(cut, "vmm.file.written"), ".../a/b");
}

std::string ByOf(const ks_vmm_act& act) {
  const auto observation = DecodeAct(act);
  EXPECT_TRUE(observation.ok()) << observation.status();
  return observation.ok() ? observation->member->by : "";
}

// Its arguments are its own words: no secret of them is kept, and they obey nobody.
TEST(DecodeActTest, WhoDidItIsToldWithItsCommandLineAndItsParents) {
  ks_vmm_act act = Act(KS_ACT_PROGRAM, "dash", "/bin/dash");
  act.tgid = 42;
  act.uid = 107;
  EXPECT_EQ(ByOf(act), "dash (pid 42, uid 107)");
  constexpr char kArguments[] = "sh\0-c\0fetch password=hunter2 \x1b[2J";
  std::copy(std::begin(kArguments), std::end(kArguments), act.arguments);
  act.arguments_size = sizeof(kArguments);
  absl::string_view("qemu-system-x8").copy(act.parents[0], 16);
  absl::string_view("systemd").copy(act.parents[1], 16);
  EXPECT_EQ(ByOf(act),
            "dash: sh -c fetch password=*** \\x1b[2J (pid 42, uid 107); parents: qemu-system-x8, "
            "systemd");
  std::fill(std::begin(act.arguments), std::end(act.arguments), 'x');
  act.arguments_size = UINT32_MAX;
  EXPECT_THAT(ByOf(act), HasSubstr(std::string(sizeof(act.arguments), 'x') + " (pid"));
}

TEST(DecodeActTest, AMemberThatIsANumberIsToldWithWhoBroughtIt) {
  ks_vmm_act act = Act(KS_ACT_CALL, "qemu");
  act.member = KS_CALL_MOUNT;
  const auto seen = DecodeAct(act);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->feature, FeatureNamed("vmm.call"));
  EXPECT_EQ(seen->value, KS_CALL_MOUNT);
  EXPECT_EQ(seen->member->first, KS_CALL_MOUNT);
  EXPECT_EQ(seen->member->text, "");
  EXPECT_THAT(seen->member->by, HasSubstr("qemu"));
  act.member = 64;
  EXPECT_FALSE(DecodeAct(act).ok());
  act = Act(KS_ACT_REFUSED, "qemu");
  act.member = KS_VMM_SYSCALLS - 1;
  EXPECT_TRUE(DecodeAct(act).ok());
}

TEST(DecodeActTest, ConnectionsHaveAddressAndPort) {
  EXPECT_EQ(TextOf(Endpoint(KS_ACT_CONNECTION, AF_INET, {192, 0, 2, 1}), "vmm.connection"),
            "192.0.2.1:443");
  EXPECT_EQ(TextOf(Endpoint(KS_ACT_LISTENER, AF_INET6, {0x20, 1, 0xd, 0xb8}), "vmm.listener"),
            "[2001:db8::]:443");
}

// Who names a program or a file names it as it likes.
TEST(DecodeActTest, TextsAreEscapedAndEndWithTheirFields) {
  EXPECT_EQ(TextOf(Act(KS_ACT_PROGRAM, "", "/tmp/\x1b[2J\n"), "vmm.program"), "/tmp/\\x1b[2J\\x0a");
  const std::string full(sizeof(ks_vmm_act::actor), 'x');  // without a 0
  EXPECT_EQ(TextOf(Act(KS_ACT_ENTERED, full, "y"), "vmm.entered"), full);
}

TEST(DecodeActTest, WhatNoProgramWritesIsRefused) {
  ks_vmm_act act = Endpoint(KS_ACT_CONNECTION, AF_UNIX, {});
  EXPECT_THAT(std::string(DecodeAct(act).status().message()), HasSubstr("address family 1"));
  act = Act(static_cast<ks_act>(KS_ACTS));
  EXPECT_THAT(std::string(DecodeAct(act).status().message()), HasSubstr("there is no act"));
  act = Act(KS_ACT_PROGRAM);
  act.source = KS_SOURCE_VFIO;
  EXPECT_THAT(std::string(DecodeAct(act).status().message()), HasSubstr("of source 1"));
}

}  // namespace
}  // namespace kvmsentry
