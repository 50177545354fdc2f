// The cost guard: what the sensor gives up where its programs cost too much, and what it says.
#include <string>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CostTest : public E2eTest {
 protected:
  // With a measurement every half second.
  void StartWithin(const std::string& percent) {
    StartDaemon({"storms.textproto"}, {"--cost-budget", percent, "--tick", "10"});
  }

  v1::GetStatusResponse Status() const {
    const auto status = cli().Status();
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(v1::GetStatusResponse());
  }
};

TEST_F(CostTest, AboveTheBudgetOptionalHooksGoAndTheOthersCountOn) {
  StartWithin("0.000001");
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest busy, StartGuest(Name("busy"), "--behaviour pio --rate 500"));
  ASSERT_OK(busy.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-cost", v1::Alert::OPEN));
  EXPECT_FALSE(open.has_vm());
  EXPECT_EQ(open.severity(), v1::WARNING);
  EXPECT_TRUE(open.observation_lost());
  EXPECT_THAT(open.summary(), HasSubstr("is shed"));

  const v1::GetStatusResponse status = Status();
  EXPECT_THAT(status.faults(), ::testing::ElementsAre(HasSubstr("pass their cost budget")));
  EXPECT_EQ(status.cost_budget_percent(), 0.000001);
  EXPECT_GT(status.cost_percent(), 0);
  int shed = 0;
  for (const v1::HookStatus& hook : status.hooks()) {
    if (hook.reason().rfind("shed: ", 0) != 0) continue;
    ++shed;
    EXPECT_EQ(hook.coverage(), v1::UNOBSERVABLE);
    EXPECT_THAT(hook.reason(), HasSubstr("above --cost-budget 1e-06"));
  }
  EXPECT_GE(shed, 1);

  ASSERT_OK_AND_ASSIGN(Guest counted,
                       StartGuest(Name("counted"), "--behaviour pio --count 1000 --then calm"));
  ASSERT_OK(counted.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus vm,
                       WaitForVm(Name("counted"), Counted("pio.rate", 1000)));
  EXPECT_EQ(CountOf(vm, "pio.rate"), 1000U);
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
    EXPECT_EQ(hook.has_cost_percent(), !hook.variant().empty()) << hook.name();
  }
  ASSERT_OK(stream.ReadUpTo(absl::Now()));
  EXPECT_THAT(AlertsOf("", stream.alerts()), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
