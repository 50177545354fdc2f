// The daemon's own life: refusals, restarts, and what it tells of itself.
#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <thread>

#include <linux/kvm.h>
#include <sys/utsname.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

#include "sensor/source/registry.h"
#include "tests/e2e/fixture.h"
#include "tests/support/refuse.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

class DaemonTest : public E2eTest {
 protected:
  // None is, nor was, taken for one of the host's.
  void ExpectNoVmOf(const Process& daemon) const {
    ASSERT_OK_AND_ASSIGN(const std::vector<v1::VmStatus> vms, cli().Vms("*"));
    for (const v1::VmStatus& vm : vms) {
      EXPECT_NE(vm.vm().pid(), static_cast<uint32_t>(daemon.pid())) << vm.ShortDebugString();
    }
    EXPECT_THAT(daemon.Errors(), Not(HasSubstr(absl::StrCat("(pid ", daemon.pid(), ","))));
  }
};

TEST_F(DaemonTest, CountsAndVmsGoOnOverARestart) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const std::string done = Name("done");
  const std::string later = Name("later");
  ASSERT_OK_AND_ASSIGN(Guest done_guest,
                       StartGuest(done, "--behaviour pio --count 3000 --then calm"));
  ASSERT_OK_AND_ASSIGN(Guest later_guest,
                       StartGuest(later, "--behaviour mmio --count 2000 --then calm"));
  ASSERT_OK(done_guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus done_before, WaitForVm(done, Counted("pio.rate", 3000)));
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus later_before, WaitForVm(later));
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse first, cli().Status());
  EXPECT_EQ(first.unobserved().seconds() + first.unobserved().nanos(), 0);

  StopDaemon();
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place()));
  ASSERT_OK(later_guest.Begin());

  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse second, cli().Status());
  EXPECT_GT(second.unobserved().seconds() + second.unobserved().nanos(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus done_after, WaitForVm(done, Counted("pio.rate", 1)));
  EXPECT_EQ(CountOf(done_after, "pio.rate"), 3000U);
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus later_after,
                       WaitForVm(later, Counted("mmio.rate", 2000)));
  EXPECT_EQ(CountOf(later_after, "mmio.rate"), 2000U);
  const std::pair<v1::VmStatus, v1::VmStatus> pairs[] = {{done_before, done_after},
                                                         {later_before, later_after}};
  for (const auto& [before, after] : pairs) {
    EXPECT_EQ(after.vm().id(), before.vm().id());
    EXPECT_TRUE(before.seen_from_birth());
    EXPECT_FALSE(after.seen_from_birth()) << "nobody watched between the two runs";
    // It went on counting where it was: exits to user space of a calm guest, seen by the new one.
    const uint64_t exits = CountOf(before, "userspace_exit.rate").value_or(0);
    ASSERT_OK(WaitForVm(before.vm().name(), Counted("userspace_exit.rate", exits + 50)));
  }
}

TEST_F(DaemonTest, RefusesALibraryWithTheLinesOfSpecLint) {
  ASSERT_OK(place().AddSpecs("storms.textproto"));
  ASSERT_OK(place().WriteSpecs("bad.textproto",
                               "spec {\n"
                               "  id: \"Bad Id\" point: K1 feature: \"pio.rat\"\n"
                               "  norm { max: -1 }\n"
                               "  weight: 0 severity: LOUD\n"
                               "}\n"));
  ASSERT_OK(place().WriteSpecs("worse.textproto", "spec { id: \"pio-storm\" \x1b[31m }\n"));
  ASSERT_OK_AND_ASSIGN(const Finished lint, cli().Run({"spec", "lint", place().specs()}));
  EXPECT_EQ(lint.exit_code, 1);
  ASSERT_GE(lint.lines.size(), 2U);
  ASSERT_OK_AND_ASSIGN(const Finished daemon, RunToEnd(DaemonCommand(place())));
  EXPECT_EQ(daemon.exit_code, 1);
  const std::vector<std::string> said = absl::StrSplit(daemon.errors, '\n');
  ASSERT_GE(said.size(), lint.lines.size());
  for (size_t i = 0; i < lint.lines.size(); ++i) EXPECT_EQ(said[i], lint.lines[i]);
}

TEST_F(DaemonTest, ASecondDaemonIsRefusedAndTheFirstGoesOn) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const Place other, Place::Make());
  ASSERT_OK(other.AddSpecs("sets.textproto"));

  // The last of an option that is given twice is not what counts: make the command again.
  ASSERT_OK_AND_ASSIGN(const Finished same_pins,
                       RunToEnd({DaemonCommand(place())[0], "--specs", other.specs(), "--socket",
                                 other.socket(), "--pin-root", place().pin_root()}));
  EXPECT_EQ(same_pins.exit_code, 1);
  EXPECT_THAT(same_pins.errors,
              HasSubstr(place().pin_root() + ": another kvmsentryd holds these maps"));
  const auto same_socket = RunToEnd({DaemonCommand(place())[0], "--specs", other.specs(),
                                     "--socket", place().socket(), "--pin-root", other.pin_root()});
  EXPECT_EQ(other.Unpin(), absl::OkStatus());
  ASSERT_OK(same_socket);
  EXPECT_EQ(same_socket->exit_code, 1);
  EXPECT_THAT(same_socket->errors,
              HasSubstr("another kvmsentryd is listening on " + place().socket()));

  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const std::string vm = Name("denied");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio --port 0x510 --count 1"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(stream.WaitFor(vm, "port-denied", v1::Alert::OPEN));
}

TEST_F(DaemonTest, StatusTellsKernelHooksSpecsLimitsAndLosses) {
  StartDaemon({"storms.textproto", "sets.textproto"}, {"--node", "tested", "--alerts-kept", "9"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("calm"), "--behaviour calm"));
  // That the walk ran is noted a moment after the start; the canary VM proves the rest.
  const auto is_active = [](const v1::GetStatusResponse& seen, absl::string_view name) {
    return std::any_of(seen.hooks().begin(), seen.hooks().end(), [name](const auto& hook) {
      return hook.name() == name && hook.coverage() == v1::ACTIVE;
    });
  };
  v1::GetStatusResponse status;
  EXPECT_TRUE(WaitUntil([&] {
    const auto seen = cli().Status();
    if (seen.ok()) status = *seen;
    return is_active(status, "task_file");
  }));
  utsname host{};
  ASSERT_EQ(uname(&host), 0);
  EXPECT_EQ(status.kernel_release(), host.release);
  EXPECT_EQ(status.host().node(), "tested");
  EXPECT_FALSE(status.version().empty());
  EXPECT_FALSE(status.libbpf_version().empty());
  EXPECT_EQ(status.limits().max_vms(), 256U);
  EXPECT_EQ(status.limits().max_vcpus(), 1024U);
  EXPECT_EQ(status.limits().alerts_kept(), 9U);
  EXPECT_GE(status.vms_watched(), 1U);

  std::map<std::string, v1::HookStatus> hooks;
  for (const v1::HookStatus& hook : status.hooks()) hooks[hook.name()] = hook;
  for (const char* name :
       {"kvm_track_tsc", "task_file", "kvm_pio", "kvm_mmio", "kvm_msr", "kvm_userspace_exit"}) {
    ASSERT_EQ(hooks.count(name), 1U) << name;
    EXPECT_EQ(hooks[name].coverage(), v1::ACTIVE) << name << ": " << hooks[name].reason();
    EXPECT_FALSE(hooks[name].variant().empty()) << name;
    EXPECT_FALSE(hooks[name].provides().empty()) << name;
  }
  std::map<std::string, v1::Coverage> specs;
  for (const v1::SpecStatus& spec : status.specs()) specs[spec.id()] = spec.coverage();
  EXPECT_THAT(specs, IsSupersetOf({Pair("pio-storm", v1::ACTIVE), Pair("msr-denied", v1::ACTIVE)}));
  EXPECT_THAT(specs, SizeIs(7));
  ASSERT_OK_AND_ASSIGN(const auto listed, cli().Specs());
  EXPECT_THAT(listed, SizeIs(7));

  std::map<std::string, uint64_t> losses;
  for (const v1::Loss& loss : status.losses()) {
    losses[loss.reason()] = loss.count();
    EXPECT_FALSE(loss.meaning().empty()) << loss.reason();
  }
  EXPECT_THAT(losses, IsSupersetOf({Pair("ring_full", 0U), Pair("no_vm_slot", 0U),
                                    Pair("unattributed", 0U)}));
}

// Before any guest, and by a VM that is none of the host's. A host on which a hook is never raised
// says so; in the lab, and wherever KVM uses the hardware, there is none.
TEST_F(DaemonTest, StatusTellsThatTheCanaryVmProvedTheHooks) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  ExpectNoVmOf(daemon_->process());
  EXPECT_EQ(status.vms_hidden(), 0U);
  EXPECT_THAT(daemon_->Log(), Not(HasSubstr("no hook is proven")));
  size_t proven = 0;
  for (const v1::HookStatus& hook : status.hooks()) {
    const auto known =
        std::ranges::find(HookPointers(), absl::string_view(hook.name()), &Hook::name);
    ASSERT_NE(known, HookPointers().end()) << hook.name();
    if (!(*known)->proven_by_canary || hook.coverage() == v1::DEGRADED) continue;
    const bool raised = !absl::StrContains(hook.reason(), "this KVM back end does not raise it");
    EXPECT_EQ(hook.coverage() == v1::ACTIVE, raised) << hook.ShortDebugString();
    proven += raised ? 1 : 0;
  }
  EXPECT_GE(proven, 5U);
}

// A canary VM that fails after it was born is a VM of nobody, too.
TEST_F(DaemonTest, StatusTellsOfNoVmWhereTheCanaryVmFailed) {
  ASSERT_OK(place().AddSpecs("storms.textproto"));
  std::optional<Process> daemon;
  std::thread([&] {
    ASSERT_OK(RefuseIoctl(KVM_RUN));
    ASSERT_OK_AND_ASSIGN(daemon, Process::Start(DaemonCommand(place())));
    ASSERT_TRUE(WaitUntil([&] { return cli().Status().ok(); })) << daemon->Errors();
    EXPECT_THAT(daemon->Errors(), HasSubstr("no hook is proven"));
    EXPECT_THAT(daemon->Errors(), HasSubstr("KVM_RUN"));
    ExpectNoVmOf(*daemon);
    daemon.reset();  // it dies with this thread
  }).join();
}

// Some kernels have the tracepoint of exits and never raise it. Which kind this one is shows in the
// counts of a guest that certainly exits; the daemon must say the same.
TEST_F(DaemonTest, AHookThatNeverFiresIsUnobservableAndOneThatFiresIsActive) {
  StartDaemon({"exits.textproto"});
  if (HasFatalFailure()) return;
  const std::string vm = Name("exits");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio --count 1000 --then calm"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(const v1::VmStatus counted,
                       WaitForVm(vm, Counted("userspace_exit.rate", 1000)));
  const bool fires = CountOf(counted, "exit.rate").value_or(0) >= 1000;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  const auto hook = std::find_if(status.hooks().begin(), status.hooks().end(),
                                 [](const auto& h) { return h.name() == "kvm_exit"; });
  ASSERT_NE(hook, status.hooks().end());
  EXPECT_EQ(hook->coverage(), fires ? v1::ACTIVE : v1::UNOBSERVABLE) << hook->reason();
  EXPECT_EQ(hook->reason().empty(), fires) << hook->reason();
  // Missing is not zero.
  EXPECT_EQ(CountOf(counted, "exit.rate").has_value(), fires);
  uint64_t by_port = 0;
  for (const auto& [reason, count] : counted.exits().by_reason()) {
    if (reason == "svm:io" || reason == "vmx:IO_INSTRUCTION") by_port += count;
  }
  EXPECT_EQ(by_port, fires ? 1000U : 0U);
  for (const v1::SpecStatus& spec : status.specs()) {
    const bool works = fires || spec.id() == "userspace-exit-storm";
    EXPECT_EQ(spec.coverage(), works ? v1::ACTIVE : v1::UNOBSERVABLE) << spec.id();
    EXPECT_EQ(spec.reason().empty(), works) << spec.reason();
  }
}

}  // namespace
}  // namespace kvmsentry
