// What the daemon does to itself makes hooks fire that a quiet host may leave silent.
#include "sensor/probe/canary_acts.h"

#include <algorithm>
#include <array>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

using CanaryActsTest = BpfTest;

TEST_F(CanaryActsTest, HooksOnProcessesAreActiveAtOnce) {
  objects_ = {"life", "process", "network", "memory", "stranger"};  // life: KVM on any kernel
  const CanaryActs acts(::testing::TempDir());
  Load();
  acts.Run();
  probe().NoteFired();
  constexpr std::array<absl::string_view, 7> kMadeToFire = {
      "signal_generate",   "inet_sock_set_state",
      "udp_sendmsg",       "security_unix_stream_connect",
      "userfaultfd_ioctl", "security_ptrace_access_check",
      "notify_change"};
  size_t made = 0;
  for (const HookCoverage& hook : probe().coverage()) {
    if (std::ranges::find(kMadeToFire, hook.hook->name) == kMadeToFire.end()) continue;
    if (!IsOffered(*hook.hook)) continue;
    if (hook.coverage == Coverage::kDegraded) continue;  // a variant that sees less
    EXPECT_EQ(hook.coverage, Coverage::kActive) << hook.hook->name << ": " << hook.reason;
    ++made;
  }
  EXPECT_GE(made, 2U) << "tracepoints, which every kernel has";
}

}  // namespace
}  // namespace kvmsentry
