// The parts of the test guest that need no KVM: its command line and its pacing.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/guest/options.h"
#include "tests/guest/pace.h"

namespace kvmsentry::guest {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Options> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kvmsentry-test-guest");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

std::string Refusal(std::vector<const char*> arguments) {
  const absl::StatusOr<Options> options = Parse(std::move(arguments));
  EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(options.status().message());
}

TEST(GuestOptions, TakesEveryBehaviourByItsName) {
  for (const Behaviour behaviour :
       {Behaviour::kCalm, Behaviour::kSpin, Behaviour::kPio, Behaviour::kMmio, Behaviour::kDoorbell,
        Behaviour::kMsr, Behaviour::kUserspaceExit, Behaviour::kCpuid, Behaviour::kTimer,
        Behaviour::kNested, Behaviour::kHypercall, Behaviour::kControl, Behaviour::kLstar}) {
    const std::string name(BehaviourName(behaviour));
    const absl::StatusOr<Options> options = Parse({"--behaviour", name.c_str()});
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->workload.behaviour, behaviour);
  }
}

TEST(GuestOptions, TakesHexadecimalOperands) {
  const absl::StatusOr<Options> options =
      Parse({"--behaviour", "pio", "--port", "0x3f5", "--value", "0x8e", "--direction", "in"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->workload.port, 0x3f5);
  EXPECT_EQ(options->workload.value, 0x8e);
  EXPECT_FALSE(options->workload.write);
}

TEST(GuestOptions, RefusesWhatTheBehaviourWouldIgnore) {
  EXPECT_THAT(Refusal({"--behaviour", "mmio", "--port", "1"}), HasSubstr("--port does not go"));
  EXPECT_THAT(Refusal({"--behaviour", "doorbell", "--width", "2"}),
              HasSubstr("--width does not go"));
  EXPECT_THAT(Refusal({"--behaviour", "calm", "--count", "1"}), HasSubstr("--count does not go"));
}

TEST(GuestOptions, RefusesPagesThatDoNotFit) {
  EXPECT_THAT(Refusal({"--behaviour", "dirty", "--pages", "10"}), HasSubstr("--memory-kib"));
  EXPECT_THAT(Refusal({"--behaviour", "mmio", "--pages", "513"}), HasSubstr("boundary"));
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--pages", "2"}), HasSubstr("does not go"));
}

TEST(GuestOptions, NamesDirectionsAsTheBehaviourDoes) {
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--direction", "write"}), HasSubstr("in or out"));
  EXPECT_THAT(Refusal({"--behaviour", "msr", "--direction", "out"}), HasSubstr("read or write"));
}

TEST(GuestOptions, RefusesAccessesThatTheGuestCannotMake) {
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--width", "8"}), HasSubstr("--width"));
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--port", "0xffff", "--width", "2"}),
              HasSubstr("0xffff"));
  EXPECT_THAT(Refusal({"--behaviour", "mmio", "--gpa", "0x1000"}), HasSubstr("inside"));
  EXPECT_THAT(Refusal({"--behaviour", "mmio", "--gpa", "0xd0000001", "--width", "2"}),
              HasSubstr("multiple"));
}

TEST(GuestOptions, SweepsWithinThePortsAndMsrsThatThereAre) {
  EXPECT_TRUE(Parse({"--behaviour", "pio", "--port", "0", "--sweep", "65536"}).ok());
  EXPECT_TRUE(Parse({"--behaviour", "msr", "--msr", "0xfffffffe", "--sweep", "2"}).ok());
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--port", "1", "--sweep", "65536"}),
              HasSubstr("passes the last"));
  EXPECT_THAT(Refusal({"--behaviour", "msr", "--msr", "0xfffffffe", "--sweep", "3"}),
              HasSubstr("passes the last"));
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--sweep", "2", "--width", "2"}),
              HasSubstr("single bytes"));
  EXPECT_THAT(Refusal({"--behaviour", "msr", "--sweep", "2", "--direction", "read"}),
              HasSubstr("--sweep writes"));
}

TEST(GuestOptions, KeepsStringIoExact) {
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--rep", "7", "--count", "10"}),
              HasSubstr("multiple of --rep"));
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--rep", "1025", "--width", "4"}), HasSubstr("page"));
}

TEST(GuestOptions, RefusesToExitAfterNothing) {
  EXPECT_THAT(Refusal({"--behaviour", "pio", "--then", "exit"}), HasSubstr("--count"));
}

TEST(GuestOptions, RefusesMemoryTooSmallForItsVcpus) {
  EXPECT_THAT(Refusal({"--behaviour", "calm", "--vcpus", "64", "--memory-kib", "128"}),
              HasSubstr("--memory-kib"));
}

TEST(Pace, GivesAllAtOnceWithoutARate) {
  const Pace pace(1000, 0, 0, 1);
  EXPECT_EQ(pace.NextBatch(0), 1000);
  EXPECT_EQ(pace.NextBatch(1000), 0);
  EXPECT_FALSE(pace.Paced());
}

TEST(Pace, GivesAHundredthOfASecondsWorth) {
  const Pace pace(1050, 10'000, 0, 1);
  EXPECT_EQ(pace.NextBatch(0), 100);
  EXPECT_EQ(pace.NextBatch(1000), 50);
  EXPECT_EQ(pace.Due(100), std::chrono::milliseconds(10));
}

TEST(Pace, GivesSingleOperationsAtALowRate) {
  const Pace pace(10, 2, 0, 1);
  EXPECT_EQ(pace.NextBatch(0), 1);
  EXPECT_EQ(pace.Due(3), std::chrono::milliseconds(1500));
}

TEST(Pace, NeverSplitsAnInstruction) {
  EXPECT_EQ(Pace(96, 1000, 0, 16).NextBatch(0), 16);
  EXPECT_EQ(Pace(96, 0, 40, 16).NextBatch(0), 32);
  EXPECT_EQ(Pace(Pace::kUnlimited, 0, 0, 7).NextBatch(0) % 7, 0);
}

TEST(Pace, DoesNotOverflowInALongRun) {
  constexpr uint64_t kRate = 1'000'000'000;
  const Pace pace(Pace::kUnlimited, kRate, 0, 1);
  EXPECT_EQ(pace.Due(kRate * 3600), std::chrono::hours(1));
}

}  // namespace
}  // namespace kvmsentry::guest
