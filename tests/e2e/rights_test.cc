// Each of the sensor's two processes has the rights that it needs, and no other.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <linux/capability.h>

#include "sensor/base/sanitized.h"
#include "tests/e2e/fixture.h"
#include "tests/support/children.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class RightsTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    StartDaemon({"storms.textproto"});
    const std::vector<pid_t> children = ChildrenOf(daemon_->process().pid());
    ASSERT_EQ(children.size(), 1U);
    loader_ = children[0];
  }

  // The line NAME of /proc/PID/status, of the thread TID.
  static std::string StatusOf(pid_t pid, pid_t tid, const std::string& name) {
    std::ifstream file(absl::StrCat("/proc/", pid, "/task/", tid, "/status"));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
    }
    return "";
  }

  // What every thread of PID may do.
  static void ExpectOnly(pid_t pid, std::initializer_list<int> capabilities) {
    uint64_t expected = 0;
    for (const int capability : capabilities) expected |= uint64_t{1} << capability;
    for (const std::filesystem::directory_entry& task :
         std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
      const pid_t tid = std::stoi(task.path().filename());
      for (const char* set : {"CapEff", "CapPrm"}) {
        const uint64_t has = std::stoull(StatusOf(pid, tid, set), nullptr, 16);
        EXPECT_EQ(has, expected) << set << " of thread " << tid;
      }
      EXPECT_EQ(StatusOf(pid, tid, "NoNewPrivs"), "1") << tid;
      EXPECT_EQ(StatusOf(pid, tid, "Seccomp"), kSanitized ? "0" : "2") << tid;
    }
  }

  pid_t loader_ = 0;
};

TEST_F(RightsTest, TheDaemonServesWithoutTheLoadersRights) {
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("calm"), "--behaviour pio --rate 1000"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(WaitForVm(Name("calm"), Counted("pio.rate", 100)));
  ExpectOnly(daemon_->process().pid(), {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE});
  ExpectOnly(loader_, {CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN});
  StopDaemon();
  EXPECT_NE(kill(loader_, 0), 0);  // it ended with the daemon
}

TEST_F(RightsTest, WithoutItsLoaderItCountsOnAndSaysSo) {
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_EQ(kill(loader_, SIGKILL), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-loader", v1::Alert::OPEN));
  EXPECT_EQ(open.severity(), v1::WARNING);
  EXPECT_THAT(open.summary(), HasSubstr(std::to_string(loader_)));
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("busy"), "--behaviour pio --rate 1000"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(WaitForVm(Name("busy"), Counted("pio.rate", 100)));
  StopDaemon();
}

// A daemon that is killed leaves nothing attached, and the next one counts on, not twice.
TEST_F(RightsTest, AKilledDaemonTakesItsLoaderAlong) {
  ASSERT_EQ(kill(daemon_->process().pid(), SIGKILL), 0);
  daemon_.reset();
  std::filesystem::remove(place().socket());  // the next one's appears when it is served
  StartDaemon({});
  EXPECT_TRUE(WaitUntil([this] { return kill(loader_, 0) != 0; }));
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("one"), "--behaviour pio --count 1000"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(WaitForVm(Name("one"), Counted("pio.rate", 1000)));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm, WaitForVm(Name("one")));
  EXPECT_EQ(CountOf(vm, "pio.rate"), 1000U);
  StopDaemon();
}

}  // namespace
}  // namespace kvmsentry
