#include "sensor/source/decode.h"

#include <cstring>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/kvm/records.h"
#include "bpf/vhost/records.h"
#include "bpf/vmm/records.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

template <typename Layout>
std::span<const std::byte> Bytes(const Layout& record) {
  return std::as_bytes(std::span(&record, 1));
}

ks_vm_born Birth() {
  return {.header = {.version = KS_LAYOUT_VERSION,
                     .kind = KS_RECORD_VM_BORN,
                     .size = sizeof(ks_vm_born),
                     .time_ns = 1000,
                     .vm_serial = 7},
          .vm_slot = 3,
          .padding = 0};
}

ks_limit_crossed Crossed() {
  return {.header = {.version = KS_LAYOUT_VERSION,
                     .kind = KS_RECORD_LIMIT,
                     .size = sizeof(ks_limit_crossed),
                     .time_ns = 1000,
                     .vm_serial = 7},
          .source = KS_SOURCE_KVM,
          .meter = KS_METER_PIO,
          .part_index = 1,
          .counted = 20001,
          .max = 20000,
          .window_ns = 1000000000,
          .last = 0x3f5};
}

template <typename Layout>
void ExpectRefused(const Layout& record, const char* why) {
  const auto decoded = Decode(Bytes(record));
  ASSERT_TRUE(absl::IsInvalidArgument(decoded.status())) << decoded.status();
  EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(why));
}

TEST(DecodeTest, ReadsACanaryWhichIsOfNoVm) {
  ks_canary canary{.header = {.version = KS_LAYOUT_VERSION,
                              .kind = KS_RECORD_CANARY,
                              .size = sizeof(ks_canary),
                              .time_ns = 1000,
                              .vm_serial = 0},
                   .number = 42};
  const auto record = Decode(Bytes(canary));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(std::get<Canary>(*record).number, 42U);
  canary.header.vm_serial = 7;
  ExpectRefused(canary, "that it cannot have");
}

TEST(DecodeTest, ReadsABirth) {
  const auto record = Decode(Bytes(Birth()));
  ASSERT_TRUE(record.ok()) << record.status();
  const auto& born = std::get<VmBorn>(*record);
  EXPECT_EQ(born.time, KernelTime{1000});
  EXPECT_EQ(born.vm, VmId{7});
  EXPECT_EQ(born.slot, 3U);
}

TEST(DecodeTest, ReadsACrossedLimitAsAnObservationOfItsRate) {
  const auto record = Decode(Bytes(Crossed()));
  ASSERT_TRUE(record.ok()) << record.status();
  const auto& crossed = std::get<Observation>(*record);
  EXPECT_EQ(crossed.time, KernelTime{1000});
  EXPECT_EQ(crossed.vm, VmId{7});
  EXPECT_EQ(crossed.kind, ObservationKind::kCrossed);
  EXPECT_EQ(crossed.feature, FeatureNamed("pio.rate"));
  EXPECT_EQ(crossed.value, 20001U);
  EXPECT_EQ(crossed.window_ns, 1000000000);
  EXPECT_EQ(crossed.detail, 0x3f5U);
}

TEST(DecodeTest, ARateThatNamesNothingHasNoDetail) {
  ks_limit_crossed crossed = Crossed();
  crossed.meter = KS_METER_DIRTY_PAGE;
  const auto record = Decode(Bytes(crossed));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(std::get<Observation>(*record).detail, std::nullopt);
}

// Sources number their meters alike.
TEST(DecodeTest, TheSourceSaysWhoseMeterItIs) {
  ks_limit_crossed crossed = Crossed();
  crossed.source = KS_SOURCE_VHOST;
  crossed.meter = KS_METER_VHOST_KICK;
  const auto record = Decode(Bytes(crossed));
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(std::get<Observation>(*record).feature, FeatureNamed("vhost.kick.rate"));
}

TEST(DecodeTest, RefusesEveryTruncation) {
  const ks_limit_crossed crossed = Crossed();
  const ks_vm_born birth = Birth();
  for (const auto whole : {Bytes(crossed), Bytes(birth)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_TRUE(absl::IsInvalidArgument(Decode(whole.first(size)).status())) << size;
    }
  }
}

// Also where the size field goes along with it.
TEST(DecodeTest, RefusesARecordThatIsLongerOrShorterThanItsKind) {
  for (const size_t size : {sizeof(ks_record), sizeof(ks_vm_born), sizeof(ks_limit_crossed) + 8}) {
    std::vector<std::byte> bytes(size);
    ks_record header = Crossed().header;
    header.size = static_cast<uint32_t>(size);
    std::memcpy(bytes.data(), &header, sizeof(header));
    const auto decoded = Decode(bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(decoded.status())) << size;
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr("64 are expected"));
  }
}

TEST(DecodeTest, RefusesOtherVersionsAndSaysWhichItReads) {
  for (const int version : {0, KS_LAYOUT_VERSION + 1, 0xffff}) {
    ks_vm_born birth = Birth();
    birth.header.version = static_cast<uint16_t>(version);
    ExpectRefused(birth, "layout version");
  }
}

TEST(DecodeTest, RefusesASizeFieldThatDisagreesWithTheBytes) {
  for (const uint32_t size : {0U, 31U, 33U, UINT32_MAX}) {
    ks_vm_born birth = Birth();
    birth.header.size = size;
    ExpectRefused(birth, "says it has");
  }
}

TEST(DecodeTest, RefusesUnknownKinds) {
  for (const int kind : {0, KS_RECORD_ACT + 1, 0xffff}) {
    ks_vm_born birth = Birth();
    birth.header.kind = static_cast<uint16_t>(kind);
    ExpectRefused(birth, "unknown kind");
  }
}

TEST(DecodeTest, RefusesARecordOfNoVmOrOfAnImpossibleTime) {
  ks_vm_born birth = Birth();
  birth.header.vm_serial = 0;
  ExpectRefused(birth, "without a VM");
  birth = Birth();
  birth.header.time_ns = uint64_t{1} << 63;
  ExpectRefused(birth, "impossible time");
}

TEST(DecodeTest, RefusesALimitOfNoMeterOrNoWindow) {
  ks_limit_crossed crossed = Crossed();
  crossed.meter = KS_KVM_METERS;
  ExpectRefused(crossed, "no meter");
  for (const int source : {KS_SOURCE_VHOST + 1, 0xffff}) {
    crossed = Crossed();
    crossed.source = static_cast<uint16_t>(source);
    ExpectRefused(crossed, "of source");
  }
  for (const uint64_t window : {uint64_t{0}, UINT64_MAX}) {
    crossed = Crossed();
    crossed.window_ns = window;
    ExpectRefused(crossed, "a window of");
  }
}

// Whatever stands in the ring: an answer, and never a read beyond the bytes (ASan watches).
TEST(DecodeTest, AnswersAnyBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    std::vector<std::byte> bytes(random() % 80);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (i % 2 == 0 && bytes.size() >= sizeof(ks_record)) {  // half of them past the first checks
      const ks_record header = {.version = KS_LAYOUT_VERSION,
                                .kind = static_cast<uint16_t>(random() % 4),
                                .size = static_cast<uint32_t>(bytes.size()),
                                .time_ns = random() >> 1,
                                .vm_serial = random()};
      std::memcpy(bytes.data(), &header, sizeof(header));
    }
    const auto decoded = Decode(bytes);
    EXPECT_TRUE(decoded.ok() || absl::IsInvalidArgument(decoded.status()));
  }
}

}  // namespace
}  // namespace kvmsentry
