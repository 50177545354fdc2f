#include "sensor/cli/arguments.h"

#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

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
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.target.socket, "/s");
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.color, ColorWhen::kNever);
}

TEST(Arguments, Defaults) {
  const auto outcome = Parse({"alerts"});
  EXPECT_EQ(CommandOf<AlertsCommand>(outcome).request.ShortDebugString(), "filter { }");
  EXPECT_EQ(CommandOf<VmsCommand>(Parse({"vms"})).sort, VmKey::kSeverity);
  EXPECT_EQ(std::get<Invocation>(outcome.parsed).common.target.socket,
            "/run/kvmsentry/kvmsentry.sock");
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
  EXPECT_EQ(one.name, "web");
  EXPECT_EQ(one.request.ShortDebugString(), "given: true");
  EXPECT_TRUE(CommandOf<VmsCommand>(Parse({"vms", "--given"})).request.given());
  EXPECT_TRUE(CommandOf<StatusCommand>(Parse({"status", "--json"})).json);
}

TEST(Arguments, TheSpecCommands) {
  EXPECT_EQ(CommandOf<SpecLintCommand>(Parse({"spec", "lint", "dir"})).path, "dir");
  const auto lint = CommandOf<SpecLintCommand>(Parse({"spec", "lint", "--site-specs", "s"}));
  EXPECT_EQ(lint.path, "");
  EXPECT_EQ(lint.layers.shipped, kShippedSpecs);
  EXPECT_EQ(lint.layers.site, "s");
  EXPECT_EQ(CommandOf<SpecDiffCommand>(Parse({"spec", "diff", "--specs", "a"})).layers.shipped,
            "a");
  EXPECT_TRUE(CommandOf<SpecListCommand>(Parse({"spec", "list", "--json"})).json);
  const auto explain =
      CommandOf<SpecExplainCommand>(Parse({"spec", "explain", "a", "--vm", "web-*"}));
  EXPECT_EQ(explain.id, "a");
  EXPECT_EQ(explain.vms.at(0), "web-*");
  EXPECT_FALSE(explain.layers) << "it asks the daemon";
  EXPECT_EQ(
      CommandOf<SpecExplainCommand>(Parse({"spec", "explain", "a", "--specs", "d"})).layers->site,
      kSiteSpecs);
  CommandOf<SpecReloadCommand>(Parse({"spec", "reload"}));
  const auto apply = CommandOf<SpecApplyCommand>(Parse({"spec", "apply", "dir", "--check"}));
  EXPECT_EQ(apply.path, "dir");
  EXPECT_TRUE(apply.check);
}

TEST(Arguments, VmsInFullAndInOrder) {
  const auto vms = CommandOf<VmsCommand>(Parse({"vms", "--sort", "NAME", "--wide"}));
  EXPECT_EQ(vms.sort, VmKey::kName);
  EXPECT_TRUE(vms.wide);
  EXPECT_EQ(CommandOf<VmsCommand>(Parse({"vms", "web-1"})).name, "web-1");
  const auto members = CommandOf<MembersCommand>(Parse({"members", "web-1", "port"}));
  EXPECT_EQ(members.request.ShortDebugString(), R"(vm: "web-1" feature: "port")");
}

TEST(Arguments, Silences) {
  const auto add = CommandOf<SilenceAddCommand>(
      Parse({"silence", "add", "--vm", "web-*", "--spec", "pio-*", "--point", "k2", "--severity",
             "warning", "--for", "2h30m", "--comment", "why"}));
  EXPECT_EQ(add.request.ShortDebugString(),
            R"(match { vm: "web-*" spec: "pio-*" point: K2 max_severity: WARNING } )"
            R"(lasts { seconds: 9000 } comment: "why")");
  EXPECT_TRUE(CommandOf<SilenceListCommand>(Parse({"silence", "list", "--json"})).json);
  EXPECT_EQ(CommandOf<SilenceEndCommand>(Parse({"silence", "end", "7"})).id, 7U);
}

struct Wrong {
  std::vector<const char*> arguments;
  std::string says;
};

TEST(Arguments, WrongUsageIsTwoAndSaysWhatIsWrong) {
  const Wrong cases[] = {
      {{}, "kvmsentry: a command is required"},
      {{"bogus"}, "unknown command 'bogus'"},
      {{"stauts"}, "unknown command 'stauts'; did you mean 'status'?"},
      {{"spec", "lst"}, "unknown command 'lst' of spec; did you mean 'list'?"},
      {{"alerts", "--bogus"}, "unknown option '--bogus' of alerts"},
      {{"alerts", "--jsn"}, "unknown option '--jsn' of alerts; did you mean '--json'?"},
      {{"vms", "--sokcet=/x"}, "unknown option '--sokcet' of vms; did you mean '--socket'?"},
      {{"vms", "a", "b"}, "unexpected word 'b' of vms"},
      {{"vms", "a", "--vm", "b"}, "excludes"},
      {{"vms", "--sort", "scor"}, "did you mean 'score'?"},
      {{"alerts", "-v", "--json"}, "excludes"},
      {{"members"}, "VM is required"},
      {{"silence", "add", "--vm", "a", "--comment", "c"}, "--for is required"},
      {{"silence", "add", "--vm", "a", "--for", "2h"}, "--comment is required"},
      {{"silence", "add", "--for", "2", "--comment", "c"}, "'2' is no length of time"},
      {{"silence", "add", "--for", "31d", "--comment", "c", "--vm", "a"}, "more than 30 days"},
      {{"silence", "add", "--for", "2h", "--comment", "", "--vm", "a"}, "--comment: it is empty"},
      {{"silence", "add", "--for", "2h", "--comment", "c", "--vm", "[a"}, "'[a': "},
      {{"silence", "add", "--for", "2h", "--comment", "c"},
       "say which alerts: --vm GLOB, --spec GLOB or --point POINT"},
      {{"silence", "end", "x"}, "x"},
      {{"alerts", "--vm", ""}, "--vm: it is empty; '*' matches all"},
      {{"vms", "--vm", "[a"}, "--vm: '[a': "},
      {{"alerts", "--since", "42"}, "'42' is no position; write EPOCH:SEQUENCE"},
      {{"alerts", "--since", "1:2", "--only-new"}, "excludes"},
      {{"alerts", "--point", "K9"}, "'K9' is none of K1, K2"},
      {{"alerts", "--min-severity", "bad"}, "'bad' is none of INFO, NOTICE, WARNING, CRITICAL"},
      {{"--color", "blue", "vms"}, "'blue' is none of auto, always, never"},
      {{"spec", "lint", "dir", "--specs", "d"}, "excludes"},
      {{"spec", "explain"}, "ID"},
      {{"spec", "explain", "a", "--vm", "b", "--specs", "d"}, "excludes"},
      {{"spec", "apply"}, "PATH"},
      {{"spec"}, "kvmsentry: a command is required"},
  };
  for (const Wrong& c : cases) {
    const auto outcome = Parse(c.arguments);
    ASSERT_TRUE(std::holds_alternative<int>(outcome.parsed));
    EXPECT_EQ(std::get<int>(outcome.parsed), 2);
    EXPECT_THAT(outcome.err, HasSubstr(c.says));
  }
}

TEST(Arguments, HelpIsACommandToo) {
  EXPECT_EQ(Parse({"help"}).out, Parse({"--help"}).out);
  EXPECT_EQ(Parse({"help", "spec", "lint"}).out, Parse({"spec", "lint", "--help"}).out);
  EXPECT_THAT(Parse({"help", "status"}).out, HasSubstr("Usage: kvmsentry status "));
  const auto wrong = Parse({"help", "stauts"});
  EXPECT_EQ(std::get<int>(wrong.parsed), 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'status'?"));
}

TEST(Arguments, AllOfTheHelpFitsAndSaysNothingTwice) {
  const std::string all = Parse({"--help-all"}).out;
  for (const auto line : absl::StrSplit(all, '\n')) EXPECT_LE(line.size(), 80U) << line;
  for (const char* noise : {"Excludes", "Needs", "FILE:FILE", "UINT"}) {
    EXPECT_EQ(all.find(noise), std::string::npos) << noise;
  }
  EXPECT_THAT(all, HasSubstr("kvmsentry spec lint [OPTIONS] [PATH]:"));
  const std::string status = Parse({"status", "--help"}).out;
  EXPECT_EQ(status.find("--help-all"), std::string::npos) << status;
  EXPECT_EQ(status.find("Exit codes"), status.rfind("Exit codes")) << status;
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
           {"--help"}, {"alerts", "--help"}, {"--help-all"}, {"--version"}, {"help"}}) {
    const auto outcome = Parse(arguments);
    ASSERT_TRUE(std::holds_alternative<int>(outcome.parsed));
    EXPECT_EQ(std::get<int>(outcome.parsed), 0);
    EXPECT_THAT(outcome.out, HasSubstr("kvmsentry"));
  }
}

}  // namespace
}  // namespace kvmsentry
