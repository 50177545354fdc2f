// The kernel's switches for all kprobes, and for all of ftrace. They are everybody's, so they are
// turned in the lab only.
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"

#include "sensor/base/fd.h"
#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

constexpr char kKprobes[] = "/sys/kernel/debug/kprobes/enabled";
constexpr char kFtrace[] = "/proc/sys/kernel/ftrace_enabled";

// Returns 0 or errno.
int Turn(const char* to_turn, char state) {
  const Fd file(open(to_turn, O_WRONLY | O_CLOEXEC));
  return file.get() >= 0 && write(file.get(), &state, 1) == 1 ? 0 : errno;
}

class SwitchTest : public E2eTest {
 protected:
  // WHAT is said as long as TO_TURN, a switch, is off. Where programs on functions are permanent
  // (kernel/trace/ftrace.c: FTRACE_OPS_FL_PERMANENT; so in Debian's 7.3, not in its 6.12), the
  // kernel refuses to turn ftrace off, and there is nothing to say.
  void ExpectToldWhileOff(const char* to_turn, const char* what) {
    ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
    const absl::Cleanup on = [to_turn] { Turn(to_turn, '1'); };
    const int refused = Turn(to_turn, '0');
    if (refused == EBUSY) {
      std::fprintf(stderr, "%s: the kernel refuses to turn it off\n", to_turn);
      return;
    }
    ASSERT_EQ(refused, 0);
    ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-links", v1::Alert::OPEN));
    EXPECT_THAT(open.summary(), HasSubstr(what));
    ASSERT_EQ(Turn(to_turn, '1'), 0);
    ASSERT_OK(stream.WaitFor("", "self-links", v1::Alert::CLEARED));
  }
};

TEST_F(SwitchTest, KprobesThatAreSwitchedOffAreToldUntilTheyAreBack) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  const auto& hooks = status.hooks();
  ASSERT_TRUE(std::any_of(hooks.begin(), hooks.end(), [](const v1::HookStatus& hook) {
    return hook.variant() == "kprobe" || hook.variant() == "kretprobe";
  })) << "no hook is attached by a kprobe here: run this in the lab";
  ExpectToldWhileOff(kKprobes, "kprobes are switched off");
}

TEST_F(SwitchTest, FtraceThatIsSwitchedOffIsToldUntilItIsBack) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ExpectToldWhileOff(kFtrace, "ftrace is switched off");
}

}  // namespace
}  // namespace kvmsentry
