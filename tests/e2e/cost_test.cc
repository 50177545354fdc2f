// The cost guard: what the sensor gives up where its programs cost too much, and what it says.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Its exceptions are counted by an optional hook, on every back end.
constexpr char kRefused[] = "--behaviour msr --msr 0xdead0000";

class CostTest : public E2eTest {
 protected:
  // With a measurement every half second.
  void StartWithin(absl::string_view percent, const std::vector<std::string>& without_hooks = {}) {
    std::vector<std::string> options = {"--cost-budget", std::string(percent), "--tick", "10"};
    for (const std::string& hook : without_hooks) {
      options.insert(options.end(), {"--without-hook", hook});
    }
    StartDaemon(std::exchange(specs_, {}), options);
  }

  v1::GetStatusResponse Status() const {
    const auto status = cli().Status();
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(v1::GetStatusResponse());
  }

  static v1::HookStatus OptionalOf(const v1::GetStatusResponse& status) {
    for (const v1::HookStatus& hook : status.hooks()) {
      if (hook.name() == "kvm_inj_exception") return hook;
    }
    return {};
  }
  v1::HookStatus Optional() const { return OptionalOf(Status()); }

 private:
  std::vector<std::string> specs_ = {"storms.textproto"};
};

// The other hooks that cost something here are left off, and it is waited for a measurement in
// which that shows. So a budget of a quarter parts what the programs cost with the optional one and
// without, however much faster or slower the guest gets on between the measurement and the use.
TEST_F(CostTest, AboveTheBudgetAnOptionalHookGoesAndTheOthersCountOn) {
  ASSERT_OK_AND_ASSIGN(Guest busy, StartGuest(Name("busy"), kRefused));
  ASSERT_OK(busy.Begin());
  const std::vector<std::string> others = {
      "kvm_exit", "kvm_entry", "kvm_msr", "kvm_userspace_exit", "kvm_vm_ioctl",
      // Which looks at each write of an MSR, for those by ioctl:
      "kvm_arch_vcpu_ioctl_set_regs",
      // Where no function can be probed:
      "security_ptrace_access_check", "security_file_open", "security_mmap_file",
      "security_task_fix_setuid", "__secure_computing"};
  StartWithin("0", others);
  if (HasFatalFailure()) return;
  double budget = 0;
  ASSERT_TRUE(WaitUntil([&] {
    const v1::GetStatusResponse status = Status();
    const double cost = OptionalOf(status).cost_percent();
    budget = cost / 4;
    return cost > 0 && budget > 2 * (status.cost_percent() - cost);
  }));
  StopDaemon();

  StartWithin(absl::StrCat(budget), others);
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_TRUE(WaitUntil([&] { return Optional().coverage() == v1::UNOBSERVABLE; }));
  EXPECT_THAT(Optional().reason(), AllOf(StartsWith("shed: it took "), HasSubstr("--cost-budget")));
  EXPECT_EQ(Optional().variant(), "");
  EXPECT_FALSE(Optional().has_cost_percent());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-cost", v1::Alert::OPEN));
  EXPECT_FALSE(open.has_vm());
  EXPECT_EQ(open.severity(), v1::WARNING);
  EXPECT_TRUE(open.observation_lost());
  ASSERT_EQ(Status().faults_size(), 1);
  EXPECT_EQ(Status().faults(0).severity(), v1::WARNING);
  EXPECT_THAT(Status().faults(0).text(), HasSubstr("kvm_inj_exception is shed"));

  ASSERT_OK_AND_ASSIGN(Guest counted,
                       StartGuest(Name("counted"), "--behaviour pio --count 1000 --then calm"));
  ASSERT_OK(counted.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm,
                       WaitForVm(Name("counted"), Counted("pio.rate", 1000)));
  EXPECT_EQ(CountOf(vm, "pio.rate"), 1000U);
  EXPECT_EQ(CountOf(vm, "exception.rate"), std::nullopt);  // missing is not zero
}

TEST_F(CostTest, WithinTheBudgetNothingIsShed) {
  StartWithin("50");
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest busy, StartGuest(Name("busy"), "--behaviour pio --rate 500"));
  ASSERT_OK(busy.Begin());
  // Longer than it takes to shed.
  const absl::Time end = absl::Now() + absl::Seconds(4);
  ASSERT_TRUE(WaitUntil([&] { return absl::Now() > end && Status().has_cost_percent(); }));
  const v1::GetStatusResponse status = Status();
  EXPECT_THAT(status.faults(), IsEmpty());
  for (const v1::HookStatus& hook : status.hooks()) {
    EXPECT_THAT(hook.reason(), ::testing::Not(StartsWith("shed"))) << hook.name();
    // What is read from a file runs no program.
    const bool program = !hook.variant().empty() && hook.variant() != "file";
    EXPECT_EQ(hook.has_cost_percent(), program) << hook.name();
  }
  ASSERT_OK(stream.ReadUpTo(absl::Now()));
  EXPECT_THAT(AlertsOf("", stream.alerts()), IsEmpty());
}

TEST_F(CostTest, AHookThatIsLeftOffIsSaidToBe) {
  StartDaemon({"storms.textproto"}, {"--without-hook", "kvm_inj_exception"});
  if (HasFatalFailure()) return;
  EXPECT_EQ(Optional().coverage(), v1::UNOBSERVABLE);
  EXPECT_EQ(Optional().reason(), "switched off by --without-hook");
}

}  // namespace
}  // namespace kvmsentry
