// However a daemon ends, the next one can start, and nothing of it is in the way.
#include <csignal>
#include <filesystem>
#include <set>

#include <bpf/bpf.h>

#include "sensor/base/fd.h"
#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EndingTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(place().AddSpecs("storms.textproto"));
  }

  std::set<std::string> InFolder() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(place().socket()).parent_path())) {
      const std::string name = entry.path().filename();
      names.insert(name.substr(0, name.find('-')));  // ".starting-XXXXXX"
    }
    return names;
  }

  // A daemon that was sent SIGNAL as soon as CONDITION held; its exit status.
  absl::StatusOr<int> SignalWhileStarting(int signal, const std::function<bool()>& condition) {
    KVMSENTRY_ASSIGN_OR_RETURN(Process starting, Process::Start(DaemonCommand(place())));
    if (!WaitUntil(condition)) return absl::DeadlineExceededError(starting.Errors());
    KVMSENTRY_RETURN_IF_ERROR(starting.Signal(signal));
    return starting.Wait();
  }

  bool IsStarting() const { return InFolder().count(".starting") != 0; }
};

TEST_F(EndingTest, OneThatIsKilledWhileItStartsIsNotInTheWayOfTheNext) {
  const auto pinned = [&](const std::string& map) {
    return [this, map] { return fs::exists(place().pin_root() + "/" + map); };
  };
  const std::function<bool()> moments[] = {[this] { return IsStarting(); }, pinned("state"),
                                           pinned("kvm/kvm_sets")};
  for (const auto& moment : moments) {
    ASSERT_OK_AND_ASSIGN(const int ended, SignalWhileStarting(SIGKILL, moment));
    ASSERT_EQ(ended, 128 + SIGKILL);
    EXPECT_THAT(InFolder(), ElementsAre(".starting", "specs"));
    StartDaemon({});
    if (HasFatalFailure()) return;
    // It serves a moment before its folder goes.
    ASSERT_TRUE(WaitUntil([this] { return !IsStarting(); }));
    EXPECT_THAT(InFolder(), ElementsAre("s.sock", "specs"));
    StopDaemon();
    EXPECT_THAT(InFolder(), ElementsAre("specs"));
    ASSERT_OK(place().Unpin());
  }
}

TEST_F(EndingTest, OneThatIsTerminatedWhileItStartsEndsWithSuccess) {
  ASSERT_OK_AND_ASSIGN(const int ended,
                       SignalWhileStarting(SIGTERM, [this] { return IsStarting(); }));
  EXPECT_EQ(ended, 0);
  EXPECT_THAT(InFolder(), ElementsAre("specs"));
}

TEST_F(EndingTest, OneThatIsKilledLeavesASocketThatTheNextReplaces) {
  {
    ASSERT_OK_AND_ASSIGN(const Daemon killed, Daemon::Start(place()));
    ASSERT_TRUE(WaitUntil([this] { return !IsStarting(); }));
  }  // which kills it
  EXPECT_THAT(InFolder(), ElementsAre("s.sock", "specs"));
  ASSERT_OK_AND_ASSIGN(const Finished refused, cli().Run({"status"}));
  EXPECT_NE(refused.exit_code, 0);
  // Not Daemon::Start: it takes the stale socket for one that is served.
  Process next = Process::Start(DaemonCommand(place())).value();
  EXPECT_TRUE(WaitUntil([&] { return cli().Status().ok(); })) << next.Errors();
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_FALSE(status.pins_recreated());
  EXPECT_GT(status.unobserved().seconds() + status.unobserved().nanos(), 0);
  ASSERT_OK(next.Signal(SIGTERM));
  ASSERT_OK_AND_ASSIGN(const int ended, next.Wait());
  EXPECT_EQ(ended, 0);
}

// Neither one that reads, nor one that is stopped, nor one that has gone.
TEST_F(EndingTest, NoSubscriberHoldsUpTheEnd) {
  StartDaemon({});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream reading, cli().Follow());
  ASSERT_OK_AND_ASSIGN(AlertStream stopped, cli().Follow());
  ASSERT_OK_AND_ASSIGN(AlertStream gone, cli().Follow());
  ASSERT_OK(stopped.process().Signal(SIGSTOP));
  ASSERT_OK(gone.process().Signal(SIGKILL));
  const absl::Time begun = absl::Now();
  StopDaemon();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(30));  // of TimeoutStopSec's 90
  EXPECT_THAT(InFolder(), ElementsAre("specs"));
}

TEST_F(EndingTest, PinsOfAnotherLayoutAreMadeAnewAndTheStatusSaysSo) {
  StartDaemon({});
  if (HasFatalFailure()) return;
  StopDaemon();
  {
    const Fd state(bpf_obj_get((place().pin_root() + "/state").c_str()));
    ASSERT_TRUE(state);
    bpf_map_info info{};
    uint32_t length = sizeof(info);
    ASSERT_EQ(bpf_obj_get_info_by_fd(state.get(), &info, &length), 0);
    const uint32_t key = 0;
    std::vector<uint32_t> value(info.value_size / sizeof(uint32_t));
    ASSERT_EQ(bpf_map_lookup_elem(state.get(), &key, value.data()), 0);
    value[0] += 1;  // ks_state.layout_version
    ASSERT_EQ(bpf_map_update_elem(state.get(), &key, value.data(), BPF_ANY), 0);
  }
  StartDaemon({});
  if (HasFatalFailure()) return;
  EXPECT_THAT(daemon_->Log(),
              HasSubstr(place().pin_root() + ": maps of an earlier run were removed, and their "
                                             "counts start at zero: all maps: layout "));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_TRUE(status.pins_recreated());
  EXPECT_THAT(status.pins_recreated_reason(), HasSubstr("layout "));
  EXPECT_EQ(status.unobserved().seconds() + status.unobserved().nanos(), 0);
  StopDaemon();
  // Once: the next goes on with the new ones.
  StartDaemon({});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse next, cli().Status());
  EXPECT_FALSE(next.pins_recreated());
}

TEST_F(EndingTest, APinThatIsMissingIsNotToldAsAnotherLayout) {
  StartDaemon({});
  if (HasFatalFailure()) return;
  StopDaemon();
  ASSERT_TRUE(std::filesystem::remove(place().pin_root() + "/kvm/kvm_limits"));
  StartDaemon({});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.pins_recreated_reason(), "kvm: the pin kvm_limits is missing");
  StopDaemon();
  StartDaemon({}, {"--max-queues", "7"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse next, cli().Status());
  EXPECT_EQ(next.pins_recreated_reason(), "vhost: the map queues has another size: 4096, not 7");
}

}  // namespace
}  // namespace kvmsentry
