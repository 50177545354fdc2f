#include "sensor/rpc/access/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

constexpr char kRead[] = "/kvmsentry.v1.Sensor/GetStatus";
constexpr char kChange[] = "/kvmsentry.v1.SpecAdmin/Reload";

class FakeClock final : public Clock {
 public:
  KernelTime Now() const override { return now; }
  absl::Time WallNow() const override { return absl::UnixEpoch(); }
  KernelTime now{kNsPerSecond};
};

class GateTest : public ::testing::Test {
 protected:
  absl::Status Admit(Role role, const char* method, const std::string& name = "uid 1000") {
    return gate_.Admit({role, name}, method);
  }
  FakeClock clock_;
  AccessBoard board_;
  Gate gate_{{.calls_per_second = 3, .open_calls = 8}, board_, clock_};
};

TEST_F(GateTest, ARoleThatSufficesPasses) {
  EXPECT_TRUE(Admit(Role::kViewer, kRead).ok());
  EXPECT_TRUE(Admit(Role::kAdmin, kRead).ok());
  EXPECT_TRUE(Admit(Role::kAdmin, kChange).ok());
  EXPECT_EQ(board_.refused(Refusal::kRole), 0U);
}

TEST_F(GateTest, ARoleThatDoesNotIsToldWhichDoesAndHowToGetIt) {
  const absl::Status viewer = Admit(Role::kViewer, kChange);
  EXPECT_EQ(viewer.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(viewer.message()),
              HasSubstr("kvmsentry.v1.SpecAdmin needs the role admin, and uid 1000 is a viewer; "
                        "call as root, or have the user named by --admin-user"));
  const absl::Status none = Admit(Role::kNone, kRead, "certificate x");
  EXPECT_EQ(none.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(none.message()),
              HasSubstr("needs the role viewer, and certificate x has none; have a DNS or URI name "
                        "of the certificate listed by --viewer-san or --admin-san"));
  EXPECT_EQ(board_.refused(Refusal::kRole), 2U);
}

TEST_F(GateTest, WhoAsksTooOftenIsRefusedUntilTimePasses) {
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Admit(Role::kViewer, kRead).ok());
  const absl::Status status = Admit(Role::kViewer, kRead);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("uid 1000 makes more than 3 calls a second"));
  EXPECT_EQ(board_.refused(Refusal::kRequests), 1U);
  EXPECT_TRUE(Admit(Role::kViewer, kRead, "uid 1001").ok());
  clock_.now = clock_.now + kNsPerSecond;
  EXPECT_TRUE(Admit(Role::kViewer, kRead).ok());
}

TEST_F(GateTest, WhoHasTooManyCallsOpenIsRefusedUntilOneEnds) {
  Gate gate({.calls_per_second = 0, .open_calls = 8}, board_, clock_);
  const Caller caller{Role::kViewer, "uid 1000"};
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(gate.Admit(caller, kRead).ok());
  const absl::Status status = gate.Admit(caller, kRead);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "uid 1000 has 8 calls open; end some of them");
  gate.Ended(caller);
  EXPECT_TRUE(gate.Admit(caller, kRead).ok());
  EXPECT_FALSE(gate.Admit(caller, kRead).ok());
  // Of a call that no handler got nobody says that it ended.
  clock_.now = clock_.now + 6 * kNsPerSecond;
  EXPECT_TRUE(gate.Admit(caller, kRead).ok());
  EXPECT_FALSE(gate.Admit(caller, kRead).ok());
}

TEST_F(GateTest, HeadersThatAreTooLargeAreRefused) {
  EXPECT_TRUE(gate_.Admit({Role::kViewer, "uid 1"}, kRead, Gate::kMaxHeaderBytes).ok());
  EXPECT_EQ(gate_.Admit({Role::kViewer, "uid 1"}, kRead, Gate::kMaxHeaderBytes + 1).code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace kvmsentry
