// A ring of a page, and a daemon that does not get to read it: what is lost is counted exactly, and
// alerts raised meanwhile say so.
#include <cerrno>
#include <csignal>
#include <cstring>

#include <bpf/bpf.h>

#include "bpf/kvm/records.h"
#include "sensor/base/fd.h"
#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

class LossTest : public FewHooksTest {
 protected:
  static constexpr uint32_t kVms = 60;  // as many are born in a second within the budget
  // Records in a page, 8 bytes of the kernel's before each.
  static constexpr uint32_t kRoom = 4095 / (sizeof(ks_limit_crossed) + 8);
  static_assert(kVms > kRoom);

  // The row of one of the kernel's tables, as any process of root's may read it.
  template <typename Row>
  Row ReadPinned(const std::string& map) const {
    Row row{};
    const uint32_t key = 0;
    EXPECT_EQ(bpf_map_lookup_elem(Pinned(map).get(), &key, &row), 0) << std::strerror(errno);
    return row;
  }

  uint64_t Lost() const { return ReadPinned<ks_kvm_losses>("kvm/kvm_losses").ring_full; }

  // Returns right after a tick.
  void AwaitTick() {
    const auto beat = [this] { return ReadPinned<ks_state>("state").heartbeat_ns; };
    const uint64_t before = beat();
    ASSERT_TRUE(WaitUntil([&] { return beat() != before; }));
  }

  // A process of kVms VMs that all are watched, their limits in force.
  absl::StatusOr<Guest> StartVms(const std::string& name) {
    KVMSENTRY_ASSIGN_OR_RETURN(
        Guest guest,
        StartGuest(name, absl::StrCat("--behaviour pio --count 60 --then calm --vms ", kVms)));
    const bool all = WaitUntil([&] {
      const auto vms = cli().Vms(name + "*");
      return vms.ok() && vms->size() == kVms;
    });
    if (!all) return absl::DeadlineExceededError("not all VMs are listed");
    return guest;
  }

  // The alerts that opened for VMs of the process PID, once there are COUNT.
  static absl::StatusOr<std::vector<v1::Alert>> Opened(AlertStream& stream, pid_t pid,
                                                       size_t count) {
    std::vector<v1::Alert> opened;
    size_t next = 0;
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      for (; next < stream.alerts().size(); ++next) {
        const v1::Alert& alert = stream.alerts()[next];
        if (alert.vm().pid() == static_cast<uint32_t>(pid) && alert.state() == v1::Alert::OPEN) {
          opened.push_back(alert);
        }
      }
      if (opened.size() >= count) return opened;
      KVMSENTRY_RETURN_IF_ERROR(stream.Read(deadline - absl::Now()).status());
    }
  }
};

// The tick is slow, so that most alerts are raised by records, between two ticks.
TEST_F(LossTest, AlertsSayThatSomethingWasLostMeanwhileAndLaterOnesDoNot) {
  StartDaemon({"limit.textproto"}, {"--ring-kib", "4", "--tick", "1000"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest many, StartVms(Name("many")));
  ASSERT_EQ(Lost(), 0U);
  AwaitTick();
  if (HasFatalFailure()) return;
  ASSERT_OK(daemon_->process().Signal(SIGSTOP));
  ASSERT_OK(many.Begin());
  const bool lost = WaitUntil([&] { return Lost() >= kVms - kRoom; });
  ASSERT_OK(daemon_->process().Signal(SIGCONT));
  ASSERT_TRUE(lost);
  ASSERT_OK_AND_ASSIGN(const auto meanwhile, Opened(stream, many.pid(), kVms));
  for (const v1::Alert& alert : meanwhile) {
    EXPECT_TRUE(alert.observation_lost()) << alert.ShortDebugString();
  }

  AwaitTick();  // which notices the losses: from here on it is later
  if (HasFatalFailure()) return;
  const uint64_t lost_before = Lost();
  ASSERT_OK_AND_ASSIGN(Guest one,
                       StartGuest(Name("one"), "--behaviour pio --count 60 --then calm"));
  ASSERT_OK(one.Begin());
  ASSERT_OK_AND_ASSIGN(const auto later, Opened(stream, one.pid(), 1));
  EXPECT_FALSE(later[0].observation_lost()) << later[0].ShortDebugString();
  EXPECT_EQ(Lost(), lost_before);

  forced_losses_ = {"ring_full", "over_budget"};  // 60 VMs at once nearly fill that budget
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  for (const v1::Loss& loss : status.losses()) {
    if (loss.reason() != "ring_full") continue;
    EXPECT_EQ(loss.count(), lost_before);
  }
}

}  // namespace
}  // namespace kvmsentry
