// A kernel on which nothing can be counted is refused at the start. In the lab only, with such a
// kernel.
#include <filesystem>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

class OldKernelTest : public E2eTest {};

TEST_F(OldKernelTest, IsRefusedWithTheReasonAndTheMinimumAndNothingIsLeft) {
  ASSERT_OK(place().AddSpecs("storms.textproto"));
  ASSERT_OK_AND_ASSIGN(const Finished refused, RunToEnd(DaemonCommand(place())));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.errors,
            "kvmsentryd: this kernel's BPF has no atomic operation that returns a value (Linux "
            "5.12), and no "
            "counter works without; boot Linux 6.1 or newer\n");
  EXPECT_FALSE(fs::exists(place().pin_root()));
  EXPECT_FALSE(fs::exists(place().socket()));
}

}  // namespace
}  // namespace kvmsentry
