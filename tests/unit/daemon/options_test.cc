#include "sensor/daemon/options.h"

#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

ParsedOptions ParseWith(const std::string& config, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"kvmsentryd", "--config", config});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseDaemonOptions(static_cast<int>(argv.size()), argv.data());
}

ParsedOptions Parse(const std::vector<std::string>& arguments) {
  return ParseWith("/dev/null", arguments);
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
  EXPECT_THAT(Refusal({"--without-hook", "kvm_poi"}), HasSubstr("; did you mean 'kvm_pio'?"));
}

TEST(DaemonOptions, ATypoIsAnsweredWithTheNearest) {
  EXPECT_EQ(Refusal({"--spec", "specs"}),
            "kvmsentryd: unknown option '--spec'; did you mean '--specs'?\n"
            "\"kvmsentryd --help\" shows what can be given.\n");
  EXPECT_THAT(Refusal({"--max-vms", "0"}), HasSubstr("'0' is no number from 1 to 65536"));
}

TEST(DaemonOptions, HelpFits) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  const std::string help = ::testing::internal::GetCapturedStdout();
  for (const auto line : absl::StrSplit(help, '\n')) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(help, HasSubstr("  --max-vms N             VMs watched at most (1 to 65536; default "
                              "512)\n"));
}

TEST(DaemonOptions, AWatchdogOfFewTicksIsRefused) {
  EXPECT_THAT(Refusal({"--tick", "1000", "--watchdog", "9"}),
              HasSubstr("--watchdog 9 is less than 10 ticks of 1000 ms; choose 10 or more"));
  EXPECT_FALSE(Parse({"--tick", "1000", "--watchdog", "10"}).exit_code);
  EXPECT_FALSE(Parse({"--tick", "1000", "--watchdog", "0"}).exit_code);
  EXPECT_FALSE(Parse({"--watchdog", "1"}).exit_code);
}

class ConfigFileOptions : public ::testing::Test {
 protected:
  ParsedOptions With(const std::string& text, const std::vector<std::string>& arguments = {}) {
    std::ofstream(path_) << text;
    ::testing::internal::CaptureStderr();
    ParsedOptions parsed = ParseWith(path_, arguments);
    errors_ = ::testing::internal::GetCapturedStderr();
    return parsed;
  }

  const TempDir dir_ = TempDir::Make().value();
  const std::string path_ = dir_ / "d.toml";
  std::string errors_;
};

TEST_F(ConfigFileOptions, TheCommandLineGoesFirst) {
  const ParsedOptions parsed = With(
      "tick = 200\nnode = \"x\"\nverbose = true\ncost-budget = 0.5\n"
      "without-hook = [kvm_pio, kvm_msr]\n",
      {"--node", "y"});
  EXPECT_FALSE(parsed.exit_code) << errors_;
  EXPECT_EQ(parsed.options.tick_ms, 200U);
  EXPECT_EQ(parsed.options.node, "y");
  EXPECT_TRUE(parsed.options.verbose);
  EXPECT_EQ(parsed.options.cost_budget, 0.5);
  EXPECT_THAT(parsed.options.without_hooks, ::testing::ElementsAre("kvm_pio", "kvm_msr"));
}

TEST_F(ConfigFileOptions, AnEmptyListSetsNothingAndIsNoSingleValue) {
  EXPECT_FALSE(With("without-hook = []\nadmin-user = []\n").exit_code) << errors_;
  EXPECT_EQ(With("tick = []\n").exit_code, 2);
}

TEST_F(ConfigFileOptions, TheSampleSetsWhatIsTheDefaultWhereItsCommentsAreTaken) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse({"--print-config"}).exit_code, 0);
  std::string sample = ::testing::internal::GetCapturedStdout();
  for (size_t at = 0; (at = sample.find("\n#", at)) != std::string::npos;) {
    if (sample[at + 2] != ' ') sample.erase(at + 1, 1);
    ++at;
  }
  const ParsedOptions parsed = With(sample);
  EXPECT_FALSE(parsed.exit_code) << errors_;
  EXPECT_TRUE(parsed.options.without_hooks.empty());
  EXPECT_TRUE(parsed.options.access.admin_users.empty());
  EXPECT_EQ(parsed.options.tick_ms, 100U);
}

TEST_F(ConfigFileOptions, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_EQ(With("tick = 200\nmax-vm = 4\n").exit_code, 2);
  EXPECT_EQ(errors_, "kvmsentryd: " + path_ + ":2: no option 'max-vm'; did you mean 'max-vms'?\n");
  EXPECT_EQ(With("unpin = true\n").exit_code, 2);
  EXPECT_EQ(With("config = /x\n").exit_code, 2);
}

TEST_F(ConfigFileOptions, AWrongValueIsRefusedAlsoWhereTheCommandLineHasAnother) {
  EXPECT_EQ(With("\ntick = fast\n").exit_code, 2);
  EXPECT_THAT(errors_, HasSubstr(path_ + ":2: "));
  EXPECT_THAT(errors_, HasSubstr("--tick"));
  EXPECT_EQ(With("tick = 5\n", {"--tick", "100"}).exit_code, 2);
  EXPECT_EQ(With("tick = [100, 200]\n").exit_code, 2);
  EXPECT_EQ(With("without-hook = kvm_poi\n").exit_code, 2);
  EXPECT_EQ(With("tick\n").exit_code, 2);
}

TEST_F(ConfigFileOptions, OneThatIsNamedMustBeThere) {
  EXPECT_EQ(ParseWith(dir_ / "none", {}).exit_code, 2);
}

}  // namespace
}  // namespace kvmsentry
