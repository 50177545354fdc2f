#include "sensor/daemon/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr KernelTime At(int64_t second) { return {second * kNsPerSecond}; }

class SelfCheckTest : public ::testing::Test {
 protected:
  void Look(KernelTime now, const absl::Status& sent = absl::OkStatus(),
            const absl::Status& tables = absl::OkStatus()) {
    check_.Look(
        [&](uint64_t number) {
          canary_ = number;
          return sent;
        },
        tables, now);
  }
  std::vector<std::string> Open() const {
    std::vector<std::string> texts;
    for (const FaultView& fault : check_.watch().Open()) texts.push_back(fault.text);
    return texts;
  }

  SelfCheck check_;
  uint64_t canary_ = 0;
};

TEST_F(SelfCheckTest, IsDueEveryTwoSeconds) {
  EXPECT_TRUE(check_.IsDue(At(1)));
  Look(At(1));
  EXPECT_FALSE(check_.IsDue(At(2)));
  EXPECT_TRUE(check_.IsDue(At(3)));
}

TEST_F(SelfCheckTest, ACanaryThatDoesNotComeBackIsAFaultUntilOneDoes) {
  Look(At(1));
  check_.CanaryReturned(canary_);
  Look(At(3));
  EXPECT_THAT(Open(), IsEmpty());
  Look(At(5));
  EXPECT_THAT(Open(),
              ElementsAre("the sensor's ring does not deliver: a canary did not come back"));
  check_.CanaryReturned(canary_);
  Look(At(7));
  EXPECT_THAT(Open(), IsEmpty());
  Look(At(9), absl::ResourceExhaustedError("the ring is full"));
  EXPECT_THAT(Open(), ElementsAre("the sensor's ring does not deliver: the ring is full"));
}

TEST_F(SelfCheckTest, TamperingStaysOpenWhateverALaterLookSays) {
  check_.Tampered("a row was emptied", At(1));
  check_.Tampered("another one, too", At(2));
  Look(At(3));
  EXPECT_THAT(Open(),
              ElementsAre("the sensor's maps were changed by somebody else: a row was emptied"));
}

TEST_F(SelfCheckTest, WhatTheWorkerFindsOpensAndClears) {
  check_.Take({.pins = absl::DataLossError("the pin x"), .links = absl::OkStatus()}, At(1));
  EXPECT_THAT(Open(), ElementsAre("the sensor's pins were removed: the pin x"));
  check_.Take({.pins = absl::OkStatus(), .links = absl::DataLossError("y")}, At(3));
  EXPECT_THAT(Open(), ElementsAre("a program of the sensor does not run: y"));
  check_.Take({.pins = absl::OkStatus(), .links = absl::OkStatus(), .sight = "z"}, At(5));
  EXPECT_THAT(Open(), ElementsAre("the sensor sees little on this kernel: z"));
  check_.Take({.pins = {}, .links = {}, .loader = absl::UnavailableError("process 7")}, At(7));
  EXPECT_THAT(Open(), ElementsAre("the sensor's loader has ended: process 7"));
}

TEST_F(SelfCheckTest, AWorkerThatHangsIsAFaultAndOneThatWorksIsNone) {
  const Worker::Running walk{.what = "walking over open files", .since = At(10)};
  check_.LookAt(walk, At(69));
  EXPECT_THAT(Open(), IsEmpty());
  check_.LookAt(walk, At(70));
  EXPECT_THAT(Open(), ElementsAre("a worker of the sensor hangs: walking over open files has not "
                                  "ended for 60 s"));
  check_.LookAt(std::nullopt, At(71));
  EXPECT_THAT(Open(), IsEmpty());
}

// A worker that goes from job to job must not hide that another hangs.
TEST_F(SelfCheckTest, OfTwoWorkersTheOneThatRunsLongestIsLookedAt) {
  const std::optional<Worker::Running> hangs = {{.what = "reading /proc of VMMs", .since = At(10)}};
  const std::optional<Worker::Running> works = {{.what = "auditing", .since = At(69)}};
  EXPECT_STREQ(LongerOf(works, hangs)->what, hangs->what);
  EXPECT_STREQ(LongerOf(hangs, works)->what, hangs->what);
  EXPECT_STREQ(LongerOf(works, std::nullopt)->what, works->what);
  EXPECT_STREQ(LongerOf(std::nullopt, works)->what, works->what);
  EXPECT_FALSE(LongerOf(std::nullopt, std::nullopt));
}

}  // namespace
}  // namespace kvmsentry
