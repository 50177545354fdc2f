// Which VM it is: several in a process, VMs that were there before, VMs that go.
#include <algorithm>
#include <csignal>
#include <set>

#include <unistd.h>

#include "tests/e2e/fixture.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using VmTest = E2eTest;

// The VMs that a process has, in the order of their creation.
std::vector<v1::VmStatus> Sorted(std::vector<v1::VmStatus> vms) {
  std::sort(vms.begin(), vms.end(),
            [](const auto& a, const auto& b) { return a.vm().id() < b.vm().id(); });
  return vms;
}

TEST_F(VmTest, OfTwoVmsInOneProcessTheRightOneIsNamedAndBothAreCountedExactly) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string name = Name("pair");
  ASSERT_OK_AND_ASSIGN(Guest guest,
                       StartGuest(name, "--behaviour mmio --calm-vms 1 --count 20000 --then calm"));
  std::vector<v1::VmStatus> vms;
  const auto both = [&](auto condition) {
    return WaitUntil([&] {
      vms = Sorted(cli().Vms(name + "*").value_or(std::vector<v1::VmStatus>()));
      return vms.size() == 2 && condition();
    });
  };
  ASSERT_TRUE(both([] { return true; }));
  const uint64_t storming = vms[0].vm().id();
  const uint64_t calm = vms[1].vm().id();
  ASSERT_NE(storming, calm);
  EXPECT_NE(vms[0].vm().name(), vms[1].vm().name());
  EXPECT_EQ(vms[0].vm().pid(), vms[1].vm().pid());

  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open,
                       stream.WaitFor(vms[0].vm().name(), "mmio-storm", v1::Alert::OPEN));
  EXPECT_EQ(open.vm().id(), storming);
  ASSERT_OK(stream.WaitFor(vms[0].vm().name(), "mmio-storm", v1::Alert::CLEARED));
  // The one goes on being calm, so its exits to user space tell that it is counted.
  ASSERT_TRUE(both([&] { return CountOf(vms[1], "userspace_exit.rate").value_or(0) > 100; }));
  EXPECT_EQ(CountOf(vms[0], "mmio.rate"), 20000U);
  EXPECT_EQ(CountOf(vms[1], "mmio.rate"), 0U);
  EXPECT_THAT(AlertsOf(vms[1].vm().name(), stream.alerts()), IsEmpty());

  ASSERT_OK(guest.Stop());
  ASSERT_OK_AND_ASSIGN(const GuestReport report, guest.Finish());
  EXPECT_EQ(report.operations, 20000U);
  EXPECT_EQ(report.vcpus.at(0).operations, 20000U);  // the first is the one that storms
  EXPECT_EQ(report.vcpus.at(1).operations, 0U);
}

TEST_F(VmTest, ADaemonWithRoomForTenThousandVmsCountsOne) {
  StartDaemon({"storms.textproto"}, {"--max-vms", "10000", "--max-vcpus", "20000"});
  if (HasFatalFailure()) return;
  const std::string name = Name("one");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(name, "--behaviour pio --count 1000 --then calm"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm, WaitForVm(name, Counted("pio.rate", 1000)));
  EXPECT_EQ(CountOf(vm, "pio.rate"), 1000U);
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  EXPECT_EQ(status.limits().max_vms(), 10'000U);
}

TEST_F(VmTest, AVmThatWasThereBeforeTheDaemonIsFoundAndItsStormAlerts) {
  const std::string vm = Name("before");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio --count 20000 --then calm"));
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForVm(vm));
  EXPECT_TRUE(status.watched());
  EXPECT_FALSE(status.seen_from_birth());
  EXPECT_EQ(status.vm().pid(), static_cast<uint32_t>(guest.pid()));
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(vm, "pio-storm", v1::Alert::OPEN));
  EXPECT_EQ(open.vm().id(), status.vm().id());
  ASSERT_OK(WaitForVm(vm, Counted("pio.rate", 20000)));
}

TEST_F(VmTest, TheAlertOfAVmThatGoesIsClearedAndTheVmIsNoLongerListed) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("going");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(vm, "pio-storm", v1::Alert::OPEN));
  ASSERT_OK(guest.process().Signal(SIGKILL));
  ASSERT_OK_AND_ASSIGN(const v1::Alert cleared,
                       stream.WaitFor(vm, "pio-storm", v1::Alert::CLEARED));
  EXPECT_EQ(cleared.key(), open.key());
  EXPECT_THAT(cleared.summary(), HasSubstr("exited"));
  ASSERT_OK_AND_ASSIGN(const auto vms, cli().Vms(vm));
  EXPECT_THAT(vms, IsEmpty());
}

// Born, at work and gone while the sensor had no processor to look at them.
TEST_F(VmTest, VmsThatAreGoneBeforeTheSensorLooksAreJudgedAllTheSame) {
  constexpr size_t kVms = 50;  // within the budget for births in a second
  StartDaemon({"serial.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK(daemon_->process().Signal(SIGSTOP));
  for (size_t i = 0; i < kVms; ++i) {
    ASSERT_OK_AND_ASSIGN(const SmallVm vm, SmallVm::Create());
    ASSERT_OK(vm.Run(0, 1));
  }
  ASSERT_OK(daemon_->process().Signal(SIGCONT));
  std::set<uint64_t> told;
  const absl::Time deadline = absl::Now() + kPatience;
  while (told.size() < kVms) {
    ASSERT_OK_AND_ASSIGN(const auto message, stream.Read(deadline - absl::Now()));
    if (!message.has_alert() || message.alert().state() != v1::Alert::OPEN) continue;
    EXPECT_EQ(message.alert().spec_id(), "serial-denied");
    EXPECT_EQ(message.alert().vm().pid(), static_cast<uint32_t>(getpid()));
    told.insert(message.alert().vm().id());
  }
  // But the last, for this process goes on.
  EXPECT_TRUE(WaitUntil([this, &told] {
    auto vms = cli().Vms("*").value();
    std::erase_if(vms, [&](const auto& vm) { return !told.contains(vm.vm().id()); });
    return vms.size() == 1 && vms.front().exited();
  }));
}

}  // namespace
}  // namespace kvmsentry
