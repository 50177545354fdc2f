// Modules of KVM and vhost that come after the daemon, and whether they can go. It loads and
// unloads modules, so it runs in the lab only.
#include <map>
#include <string>

#include "absl/strings/str_join.h"

#include "tests/e2e/fixture.h"
#include "tests/support/host.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class ModuleTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    for (const char* module : {"vhost_vsock", "vhost_net", "kvm_amd"}) {
      ASSERT_TRUE(Unload(module)) << module << " is no module here, or in use: run this in the lab";
    }
  }
  void TearDown() override {
    for (const char* module : {"kvm_amd", "vhost_net", "vhost_vsock"}) Load(module);
    E2eTest::TearDown();
  }

  static bool Modprobe(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"busybox", "modprobe"});
    const auto finished = RunToEnd(arguments);
    return finished.ok() && finished->exit_code == 0;
  }
  static bool Load(const std::string& module) { return Modprobe({module}); }
  static bool Unload(const std::string& module) { return Modprobe({"-r", module}); }

  // Only it, not what it needs. False where it is in use.
  static bool Remove(const std::string& module) {
    const auto finished = RunToEnd({"busybox", "rmmod", module});
    return finished.ok() && finished->exit_code == 0;
  }

  v1::HookStatus HookOf(const std::string& name) const {
    const auto status = cli().Status();
    EXPECT_TRUE(status.ok()) << status.status();
    if (!status.ok()) return {};
    for (const v1::HookStatus& hook : status->hooks()) {
      if (hook.name() == name) return hook;
    }
    return {};
  }

  // Whether the hook is, or within the limit gets, attached by VARIANT.
  void ExpectAttached(const std::string& name, const std::string& variant) const {
    EXPECT_TRUE(WaitUntil([&] { return !HookOf(name).variant().empty(); }))
        << HookOf(name).ShortDebugString();
    EXPECT_EQ(HookOf(name).variant(), variant) << name;
  }

  void ExpectCountedExactly(const std::string& vm) {
    ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour pio --count 1000 --then calm"));
    ASSERT_OK(guest.Begin());
    ASSERT_OK_AND_ASSIGN(const v1::VmStatus counted, WaitForVm(vm, Counted("pio.rate", 1000)));
    EXPECT_EQ(CountOf(counted, "pio.rate"), 1000U);
    EXPECT_GE(CountOf(counted, "exit.rate").value_or(0), 1000U);
    EXPECT_TRUE(counted.seen_from_birth());
    ASSERT_OK(guest.Stop());
    ASSERT_OK(guest.Finish());
  }
};

TEST_F(ModuleTest, HooksOfModulesThatComeLaterAreAttachedAndHoldThem) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  for (const char* name : {"kvm_pio", "kvm_exit", "handle_tx"}) {
    EXPECT_EQ(HookOf(name).coverage(), v1::UNOBSERVABLE) << name;
  }
  EXPECT_EQ(HookOf("handle_tx").reason(),
            "module vhost_net not loaded, or not in this kernel; attached as soon as it is");
  // Not each something else that it lacks, and no reason to be alarmed.
  for (const char* name : {"kvm_pio", "kvm_exit", "kvm_vm_ioctl", "kvm_fast_mmio"}) {
    EXPECT_EQ(HookOf(name).reason(),
              "module kvm not loaded, or not in this kernel; attached as soon as it is")
        << name;
    EXPECT_EQ(HookOf(name).lack(), v1::HookStatus::MODULE_MISSING) << name;
  }
  ASSERT_OK_AND_ASSIGN(const Finished health, cli().Run({"status"}));
  EXPECT_EQ(health.exit_code, 0) << absl::StrJoin(health.lines, "\n");

  ASSERT_TRUE(Load("kvm_amd"));
  const char* const of_vcpus = KernelPreemptsPrograms() ? "tp" : "tp_btf";
  ExpectAttached("kvm_pio", of_vcpus);
  // By the canary VM, which nobody takes for one of the host's.
  for (const char* name : {"kvm_track_tsc", "kvm_pio", "kvm_exit", "kvm_vm_ioctl"}) {
    EXPECT_TRUE(WaitUntil([&] { return HookOf(name).coverage() == v1::ACTIVE; }))
        << HookOf(name).ShortDebugString();
  }
  EXPECT_THAT(cli().Vms("*").value(), ::testing::IsEmpty());
  EXPECT_THAT(daemon_->Log(), ::testing::Not(HasSubstr("watching VM")));
  ExpectAttached("kvm_exit", of_vcpus);  // which needs kvm_amd's types, not only kvm's
  ExpectAttached("task_file", "iter");
  ExpectCountedExactly(Name("first"));

  EXPECT_EQ(HookOf("handle_tx").coverage(), v1::UNOBSERVABLE);
  ASSERT_TRUE(Load("vhost_net"));
  ExpectAttached("handle_tx", "fentry");
  ExpectAttached("vhost_poll_wakeup", "fentry");

  // No VM, no open file: it is the sensor that holds what it hooks.
  for (const char* module : {"vhost_net", "vhost", "kvm"}) EXPECT_FALSE(Remove(module)) << module;
  EXPECT_EQ(HookOf("handle_tx").variant(), "fentry");
  // Of a back end it hooks nothing: that can go and come again.
  ASSERT_TRUE(Remove("kvm_amd"));
  ASSERT_TRUE(Load("kvm_amd"));
  ExpectCountedExactly(Name("second"));

  StopDaemon();
  for (const char* module : {"vhost_net", "kvm_amd", "kvm"}) EXPECT_TRUE(Remove(module)) << module;
}

}  // namespace
}  // namespace kvmsentry
