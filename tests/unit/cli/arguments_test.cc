#include "sensor/cli/arguments.h"

#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  std::variant<Invocation, int> parsed;
  std::string out, err;
};

Outcome Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kvmsentry");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  auto parsed = ParseArguments(static_cast<int>(arguments.size()), arguments.data());
  std::string out = ::testing::internal::GetCapturedStdout();
  return {std::move(parsed), std::move(out), ::testing::internal::GetCapturedStderr()};
}

template <typename C>
C CommandOf(const Outcome& outcome) {
  EXPECT_TRUE(std::holds_alternative<Invocation>(outcome.parsed)) << outcome.err;
  return std::get<C>(std::get<Invocation>(outcome.parsed).command);
}

TEST(Arguments, AlertsWithEveryOption) {
  const auto outcome = Parse({"--socket", "/s", "alerts", "--follow", "--since", "7:42", "--vm",
                              "a*", "--vm", "b", "--point", "k2", "--spec", "*-storm",
                              "--min-severity", "warning", "--json", "--color", "never"});
  const auto command = CommandOf<AlertsCommand>(outcome);
  EXPECT_TRUE(command.json);
  EXPECT_EQ(command.request.ShortDebugString(),
            R"(since { epoch: 7 sequence: 42 } follow: true filter { vm: "a*" vm: "b" point: K2 )"
            R"(min_severity: WARNING spec: "*-storm" })");
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.socket, "/s");
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.color, ColorWhen::kNever);
}

TEST(Arguments, Defaults) {
  const auto outcome = Parse({"alerts"});
  EXPECT_EQ(CommandOf<AlertsCommand>(outcome).request.ShortDebugString(), "filter { }");
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.socket, "/run/kvmsentry/kvmsentry.sock");
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.color, ColorWhen::kAuto);
}

TEST(Arguments, AlertsThatAreKeptOrOpen) {
  const auto open = CommandOf<AlertsCommand>(
      Parse({"alerts", "--open", "--text", "x", "--from", "2026-11-29T14:00:00Z"}));
  EXPECT_TRUE(open.open);
  EXPECT_EQ(open.request.filter().ShortDebugString(), R"(from { seconds: 1795960800 } text: "x")");
  EXPECT_EQ(CommandOf<AlertsCommand>(Parse({"alerts", "--last", "7"})).last, 7U);
  for (const char* other : {"--follow", "--only-new", "--last=3"}) {
    EXPECT_EQ(std::get<int>(Parse({"alerts", "--open", other}).parsed), 2) << other;
  }
  EXPECT_THAT(Parse({"alerts", "--from", "soon"}).err, HasSubstr("'soon' is no time"));
}

TEST(Arguments, TheOtherCommands) {
  const auto vms = CommandOf<VmsCommand>(Parse({"vms", "--vm", "web-*", "--counts", "--devices"}));
  EXPECT_EQ(vms.request.vm(0), "web-*");
  EXPECT_TRUE(vms.counts);
  EXPECT_TRUE(vms.devices);
  EXPECT_FALSE(vms.given);
  const auto one = CommandOf<VmsCommand>(Parse({"vms", "web", "--json"}));
  EXPECT_TRUE(one.given);
  EXPECT_EQ(one.request.ShortDebugString(), R"(vm: "web" given: true)");
  EXPECT_TRUE(CommandOf<VmsCommand>(Parse({"vms", "--given"})).request.given());
  EXPECT_TRUE(CommandOf<StatusCommand>(Parse({"status", "--json"})).json);
  EXPECT_EQ(CommandOf<SpecLintCommand>(Parse({"spec", "lint", "dir"})).dir, "dir");
  EXPECT_TRUE(CommandOf<SpecListCommand>(Parse({"spec", "list", "--json"})).json);
  EXPECT_EQ(CommandOf<SpecExplainCommand>(Parse({"spec", "explain", "a"})).id, "a");
}

struct Wrong {
  std::vector<const char*> arguments;
  std::string says;
};

TEST(Arguments, WrongUsageIsTwoAndSaysWhatIsWrong) {
  const Wrong cases[] = {
      {{}, "subcommand is required"},
      {{"bogus"}, ""},
      {{"alerts", "--bogus"}, "--bogus"},
      {{"alerts", "--since", "42"}, "'42' is no position; write EPOCH:SEQUENCE"},
      {{"alerts", "--since", "1:2", "--only-new"}, "excludes"},
      {{"alerts", "--point", "K9"}, "'K9' is none of K1, K2"},
      {{"alerts", "--min-severity", "bad"}, "'bad' is none of INFO, NOTICE, WARNING, CRITICAL"},
      {{"--color", "blue", "vms"}, "'blue' is none of auto, always, never"},
      {{"spec", "lint"}, "DIR"},
      {{"spec"}, "subcommand is required"},
  };
  for (const Wrong& c : cases) {
    const auto outcome = Parse(c.arguments);
    ASSERT_TRUE(std::holds_alternative<int>(outcome.parsed));
    EXPECT_EQ(std::get<int>(outcome.parsed), 2);
    EXPECT_THAT(outcome.err, HasSubstr(c.says));
  }
}

// Two is what a critical host gives.
TEST(Arguments, WrongUsageOfStatusIsUnknown) {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"status", "--bogus"}, {"--bogus", "status"}, {"status", "vms"}}) {
    const auto outcome = Parse(arguments);
    ASSERT_TRUE(std::holds_alternative<int>(outcome.parsed));
    EXPECT_EQ(std::get<int>(outcome.parsed), 3);
  }
}

TEST(Arguments, HelpAndVersionAreSuccess) {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--help"}, {"alerts", "--help"}, {"--help-all"}, {"--version"}}) {
    const auto outcome = Parse(arguments);
    ASSERT_TRUE(std::holds_alternative<int>(outcome.parsed));
    EXPECT_EQ(std::get<int>(outcome.parsed), 0);
    EXPECT_THAT(outcome.out, HasSubstr("kvmsentry"));
  }
}

}  // namespace
}  // namespace kvmsentry
