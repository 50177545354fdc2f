#include "sensor/daemon/options.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

ParsedOptions Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"kvmsentryd", "--config", "/dev/null"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseDaemonOptions(static_cast<int>(argv.size()), argv.data());
}

// What a wrong command line is told; it must be refused.
std::string Refusal(const std::vector<std::string>& arguments) {
  ::testing::internal::CaptureStderr();
  const ParsedOptions parsed = Parse(arguments);
  EXPECT_EQ(parsed.exit_code, 2);
  return ::testing::internal::GetCapturedStderr();
}

TEST(DaemonOptions, TheRingIsComputedUnlessItsSizeIsGiven) {
  const ParsedOptions none = Parse({});
  EXPECT_FALSE(none.exit_code);
  EXPECT_EQ(none.options.ring_kib, 0U);
  const ParsedOptions page = Parse({"--ring-kib", "4"});
  EXPECT_FALSE(page.exit_code);
  EXPECT_EQ(page.options.ring_kib, 4U);
}

TEST(DaemonOptions, ARingThatTheKernelRefusesIsRefusedBeforeWithWhatToGive) {
  const std::string refusal = Refusal({"--ring-kib", "5"});
  EXPECT_THAT(refusal, HasSubstr("--ring-kib: the kernel takes no ring of 5 KiB"));
  EXPECT_THAT(refusal, HasSubstr("for instance 8"));
}

TEST(DaemonOptions, HooksAreLeftOffByTheirNames) {
  const ParsedOptions two = Parse({"--without-hook", "kvm_pio", "--without-hook", "kvm_vm_ioctl"});
  EXPECT_FALSE(two.exit_code);
  EXPECT_THAT(two.options.without_hooks, ::testing::ElementsAre("kvm_pio", "kvm_vm_ioctl"));
  EXPECT_THAT(Refusal({"--without-hook", "kvm_poi"}), HasSubstr("kvm_poi not in {"));
}

}  // namespace
}  // namespace kvmsentry
