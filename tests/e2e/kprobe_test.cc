// The switch for all kprobes of the kernel. It is everybody's, so it is turned in the lab only.
#include <algorithm>
#include <fstream>

#include "absl/cleanup/cleanup.h"

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

bool Switch(char state) {
  std::ofstream file("/sys/kernel/debug/kprobes/enabled");
  file << state << std::flush;
  return file.good();
}

using KprobeTest = E2eTest;

TEST_F(KprobeTest, KprobesThatAreSwitchedOffAreToldUntilTheyAreBack) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const v1::GetStatusResponse status, cli().Status());
  const auto& hooks = status.hooks();
  ASSERT_TRUE(std::any_of(hooks.begin(), hooks.end(), [](const v1::HookStatus& hook) {
    return hook.variant() == "kprobe" || hook.variant() == "kretprobe";
  })) << "no hook is attached by a kprobe here: run this in the lab";
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const absl::Cleanup on = [] { Switch('1'); };
  ASSERT_TRUE(Switch('0'));
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-links", v1::Alert::OPEN));
  EXPECT_THAT(open.summary(), HasSubstr("kprobes are switched off"));
  ASSERT_TRUE(Switch('1'));
  ASSERT_OK(stream.WaitFor("", "self-links", v1::Alert::CLEARED));
}

}  // namespace
}  // namespace kvmsentry
