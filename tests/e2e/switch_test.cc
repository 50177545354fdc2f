// The kernel's switches for all kprobes, and for all of ftrace. They are everybody's, so they are
// turned in the lab only.
#include <algorithm>
#include <fstream>

#include "absl/cleanup/cleanup.h"

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

constexpr char kKprobes[] = "/sys/kernel/debug/kprobes/enabled";
constexpr char kFtrace[] = "/proc/sys/kernel/ftrace_enabled";

bool Turn(const char* to_turn, char state) {
  std::ofstream file(to_turn);
  file << state << std::flush;
  return file.good();
}

class SwitchTest : public E2eTest {
 protected:
  // WHAT is said as long as TO_TURN, a switch, is off.
  void ExpectToldWhileOff(const char* to_turn, const char* what) {
    ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
    const absl::Cleanup on = [to_turn] { Turn(to_turn, '1'); };
    ASSERT_TRUE(Turn(to_turn, '0'));
    ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-links", v1::Alert::OPEN));
    EXPECT_THAT(open.summary(), HasSubstr(what));
    ASSERT_TRUE(Turn(to_turn, '1'));
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
