// A loop that stands still. The test stops the one thread that runs it, as a debugger would; the
// daemon's other threads go on.
#include <algorithm>
#include <csignal>

#include <grpcpp/grpcpp.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/e2e/fixture.h"
#include "tests/support/raw_call.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

// The daemon's loop is its first thread. Runs on with the destruction.
class StoppedLoop {
 public:
  explicit StoppedLoop(pid_t pid) : pid_(pid) {
    EXPECT_EQ(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), 0);
    EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, __WALL), pid);
    EXPECT_TRUE(WIFSTOPPED(status));
  }
  ~StoppedLoop() { ptrace(PTRACE_DETACH, pid_, nullptr, nullptr); }
  StoppedLoop(const StoppedLoop&) = delete;
  StoppedLoop& operator=(const StoppedLoop&) = delete;

 private:
  const pid_t pid_;
};

class StallTest : public FewHooksTest {
 protected:
  // grpc.health.v1: HealthCheckResponse.status = 1, SERVING = 1, NOT_SERVING = 2.
  bool Serves() { return Health() == "\x08\x01"; }
  bool SaysThatItDoesNotServe() { return Health() == "\x08\x02"; }

 private:
  // "" without an answer, which says nothing: the daemon refuses who asks too often.
  std::string Health() {
    const auto channel =
        grpc::CreateChannel("unix:" + place().socket(), grpc::InsecureChannelCredentials());
    return CallRaw(channel, "/grpc.health.v1.Health/Check", "").value_or("");
  }
};

TEST_F(StallTest, ALoopThatStandsStillIsToldAndThatItGoesOn) {
  StartDaemon({"storms.textproto"}, {"--watchdog", "12"});  // not serving after 2 s
  if (HasFatalFailure()) return;
  ASSERT_TRUE(WaitUntil([&] { return Serves(); }));
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  absl::Time stopped;
  {
    const StoppedLoop loop(daemon_->process().pid());
    stopped = absl::Now();
    ASSERT_TRUE(WaitUntil([&] { return SaysThatItDoesNotServe(); }));
  }
  ASSERT_TRUE(WaitUntil([&] { return Serves(); }));
  const absl::Time went_on = absl::Now();
  // Heartbeats told of no time at which the loop stood still.
  for (absl::Time at; at < went_on;) {
    ASSERT_OK_AND_ASSIGN(const v1::SubscribeResponse message, stream.Read());
    at = ToTime(message.heartbeat().at());
    EXPECT_TRUE(at <= stopped || at > stopped + absl::Seconds(1)) << at << " " << stopped;
  }
  EXPECT_THAT(daemon_->Log(), HasSubstr("the loop does not tick: NOT_SERVING"));
  EXPECT_THAT(daemon_->Log(), HasSubstr("the loop ticks again"));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_GT(ToTime(status.last_tick()), stopped + absl::Seconds(1));
  const auto late = std::find_if(status.losses().begin(), status.losses().end(),
                                 [](const auto& loss) { return loss.reason() == "late_tick"; });
  ASSERT_NE(late, status.losses().end());
  EXPECT_GE(late->count(), 15U);  // a tick is 100 ms, and it stood still for two seconds
}

TEST_F(StallTest, ALoopThatDoesNotGoOnEndsTheProcessWithTheReason) {
  StartDaemon({"storms.textproto"}, {"--watchdog", "3"});
  if (HasFatalFailure()) return;
  // Else the loop's thread may be stopped while it holds the log, before it loops.
  ASSERT_TRUE(WaitUntil([&] { return daemon_->Log().find("serves on") != std::string::npos; }));
  constexpr char kWhy[] = "ended by the watchdog: the loop has not ticked for 3 s";
  {
    const StoppedLoop loop(daemon_->process().pid());
    EXPECT_TRUE(WaitUntil([&] { return daemon_->Log().find(kWhy) != std::string::npos; }));
  }  // let go, for a traced child is not reported as ended
  ASSERT_OK_AND_ASSIGN(const int ended, daemon_->process().Wait());
  EXPECT_EQ(ended, 3);
  daemon_.reset();
}

}  // namespace
}  // namespace kvmsentry
