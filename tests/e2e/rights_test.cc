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

  static uint64_t Set(std::initializer_list<int> capabilities) {
    uint64_t set = 0;
    for (const int capability : capabilities) set |= uint64_t{1} << capability;
    return set;
  }

  // No thread of PID may do more than CAPABILITIES; returns what its first one may.
  static uint64_t ExpectAtMost(pid_t pid, uint64_t capabilities) {
    for (const std::filesystem::directory_entry& task :
         std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
      const pid_t tid = std::stoi(task.path().filename());
      for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"}) {
        const uint64_t has = std::stoull(StatusOf(pid, tid, set), nullptr, 16);
        EXPECT_EQ(has & ~capabilities, 0U) << set << " of thread " << tid;
      }
      EXPECT_EQ(StatusOf(pid, tid, "NoNewPrivs"), "1") << tid;
      EXPECT_EQ(StatusOf(pid, tid, "Seccomp"), kSanitized ? "0" : "2") << tid;
    }
    return std::stoull(StatusOf(pid, pid, "CapEff"), nullptr, 16);
  }

  pid_t loader_ = 0;
};

TEST_F(RightsTest, TheDaemonServesWithoutTheLoadersRights) {
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("calm"), "--behaviour pio --rate 1000"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(WaitForVm(Name("calm"), Counted("pio.rate", 100)));
  // The daemon of these tests is root's.
  const uint64_t serving = ExpectAtMost(
      daemon_->process().pid(), Set({CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE}));
  EXPECT_EQ(serving, Set({CAP_BPF, CAP_DAC_OVERRIDE}));
  const std::initializer_list<int> loaders = {CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN,
                                              CAP_DAC_OVERRIDE};
  EXPECT_EQ(ExpectAtMost(loader_, Set(loaders)), Set(loaders));
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
  // Were each counted twice, the first would have more by the time the second has all.
  const std::string behaviour = "--behaviour pio --count 1000 --then calm";
  ASSERT_OK_AND_ASSIGN(Guest one, StartGuest(Name("one"), behaviour));
  ASSERT_OK(one.Begin());
  ASSERT_OK(WaitForVm(Name("one"), Counted("pio.rate", 1000)));
  ASSERT_OK_AND_ASSIGN(Guest two, StartGuest(Name("two"), behaviour));
  ASSERT_OK(two.Begin());
  ASSERT_OK(WaitForVm(Name("two"), Counted("pio.rate", 1000)));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm, WaitForVm(Name("one")));
  EXPECT_EQ(CountOf(vm, "pio.rate"), 1000U);
  StopDaemon();
}

}  // namespace
}  // namespace kvmsentry
