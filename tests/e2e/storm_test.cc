// Storms and what only looks like one: a guest misbehaves, and a client in another process is told.
#include <csignal>
#include <ostream>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Storm {
  std::string name;
  std::string behaviour;
  std::string feature;  // that counts its operations
  std::vector<std::string> specs;

  friend std::ostream& operator<<(std::ostream& out, const Storm& storm) {
    return out << storm.name;
  }
};

// An unknown MSR: hardware passes some known ones through, so that KVM does not see them.
const Storm kStorms[] = {
    {"pio", "--behaviour pio --port 0x3f8", "pio.rate", {"pio-storm"}},
    {"mmio", "--behaviour mmio --gpa 0xd0001000", "mmio.rate", {"mmio-storm"}},
    {"msr", "--behaviour msr --msr 0x12345", "msr.rate", {"msr-storm", "msr-fault-storm"}},
    {"userspace_exit",
     "--behaviour userspace-exit",
     "userspace_exit.rate",
     {"userspace-exit-storm"}},
};

class StormTest : public FewHooksTest, public ::testing::WithParamInterface<Storm> {};

void ExpectWhole(const v1::Alert& open) {
  EXPECT_NE(open.position().epoch(), 0U);
  EXPECT_NE(open.position().sequence(), 0U);
  EXPECT_FALSE(open.key().empty());
  EXPECT_NE(open.severity(), v1::SEVERITY_UNSPECIFIED);
  EXPECT_NE(open.point(), v1::POINT_UNSPECIFIED);
  EXPECT_FALSE(open.host().node().empty());
  EXPECT_FALSE(open.host().boot_id().empty());
  EXPECT_NE(open.vm().id(), 0U);
  EXPECT_EQ(ToTime(open.at()), ToTime(open.opened_at()));
  EXPECT_EQ(open.observed().limit(), 1000);
  EXPECT_GT(open.observed().occurrences(), 1000U);
  EXPECT_EQ(open.observed().unit(), "1/s");
  EXPECT_GT(open.count(), 0U);
  EXPECT_GT(open.contribution(), 0);
  EXPECT_FALSE(open.summary().empty());
  EXPECT_FALSE(open.why().empty());
  EXPECT_FALSE(open.look_at().empty());
  EXPECT_FALSE(open.observation_lost());
}

TEST_P(StormTest, OpensItsAlertAndClearsItWhenTheGuestIsCalm) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("storm");
  // More than a second's worth on a slow kernel.
  ASSERT_OK_AND_ASSIGN(Guest guest,
                       StartGuest(vm, GetParam().behaviour + " --count 20000 --then calm"));
  ASSERT_OK(guest.Begin());
  for (const std::string& spec : GetParam().specs) {
    SCOPED_TRACE(spec);
    ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor(vm, spec, v1::Alert::OPEN));
    ExpectWhole(open);
    EXPECT_EQ(open.vm().pid(), static_cast<uint32_t>(guest.pid()));
    ASSERT_OK_AND_ASSIGN(const v1::Alert cleared, stream.WaitFor(vm, spec, v1::Alert::CLEARED));
    EXPECT_EQ(cleared.key(), open.key());
    EXPECT_EQ(ToTime(cleared.opened_at()), ToTime(open.opened_at()));
    EXPECT_EQ(cleared.position().epoch(), open.position().epoch());
    EXPECT_GT(cleared.position().sequence(), open.position().sequence());
    EXPECT_GT(cleared.kernel_time_ns(), open.kernel_time_ns());
  }
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status,
                       WaitForVm(vm, [](const auto& v) { return v.open_alerts() == 0; }));
  if (GetParam().feature != "userspace_exit.rate") {  // a calm guest goes on with these
    EXPECT_EQ(CountOf(status, GetParam().feature), 20000U);
  }
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
  // Each process ends well, which with sanitizers says that they found nothing.
  ASSERT_OK(stream.process().Signal(SIGTERM));
  ASSERT_OK_AND_ASSIGN(const int ended, stream.process().Wait());
  EXPECT_EQ(ended, 0) << stream.process().Errors();
}

// A quarter of the norm's rate, until more than what the norm has for its window has happened. A
// guest makes up for what its host did not let it do: a host that stalls for three seconds would
// make a storm of it.
TEST_P(StormTest, ItsLookAlikeCausesNoAlert) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("look-alike");
  ASSERT_OK_AND_ASSIGN(
      Guest guest, StartGuest(vm, GetParam().behaviour + " --rate 250 --count 1250 --then calm"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus status, WaitForVm(vm, Counted(GetParam().feature, 1250)));
  EXPECT_EQ(status.score(), 0);
  ASSERT_OK(stream.ReadUpTo(absl::Now()));
  EXPECT_THAT(AlertsOf(vm, stream.alerts()), IsEmpty());
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
}

INSTANTIATE_TEST_SUITE_P(Storms, StormTest, ::testing::ValuesIn(kStorms),
                         [](const auto& storm) { return storm.param.name; });

using QuietTest = E2eTest;

TEST_F(QuietTest, CalmAndSpinningGuestsCauseNoAlert) {
  StartDaemon({"storms.textproto", "burst.textproto", "sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string calm = Name("calm");
  const std::string spin = Name("spin");
  ASSERT_OK_AND_ASSIGN(Guest calm_guest, StartGuest(calm, "--behaviour calm"));
  ASSERT_OK_AND_ASSIGN(Guest spinning_guest, StartGuest(spin, "--behaviour spin --vcpus 2"));
  ASSERT_OK(calm_guest.Begin());
  ASSERT_OK(spinning_guest.Begin());
  // It halts some hundred times a second: the longest window has passed by then.
  ASSERT_OK(WaitForVm(calm, Counted("userspace_exit.rate", 300)));
  for (int heartbeat = 0; heartbeat < 2; ++heartbeat) ASSERT_OK(stream.ReadUpTo(absl::Now()));
  for (const std::string& vm : {calm, spin}) {
    EXPECT_THAT(AlertsOf(vm, stream.alerts()), IsEmpty()) << vm;
    ASSERT_OK_AND_ASSIGN(const auto listed, cli().Vms(vm));
    ASSERT_THAT(listed, SizeIs(1));
    EXPECT_TRUE(listed[0].watched());
    EXPECT_TRUE(listed[0].seen_from_birth());
    EXPECT_EQ(listed[0].score(), 0);
    EXPECT_EQ(listed[0].open_alerts(), 0U);
  }
  ASSERT_OK_AND_ASSIGN(const auto spinning, cli().Vms(spin));
  EXPECT_EQ(spinning.at(0).vcpus(), 2U);
  for (Guest* guest : {&calm_guest, &spinning_guest}) {
    ASSERT_OK(guest->Stop());
    ASSERT_OK(guest->Finish());
  }
}

}  // namespace
}  // namespace kvmsentry
