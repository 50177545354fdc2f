// What an operator sees of a real daemon and its guests, by the real client.
#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A terminal's columns: characters, not bytes.
size_t Columns(const std::string& line) {
  return static_cast<size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

class OperatorTest : public FewHooksTest {
 protected:
  // Of a command that must succeed, or end with EXIT_CODE; each line fits 80 columns.
  std::vector<std::string> Lines(const std::vector<std::string>& arguments, int exit_code = 0) {
    const auto finished = cli().Run(arguments);
    EXPECT_TRUE(finished.ok()) << finished.status();
    if (!finished.ok()) return {};
    EXPECT_EQ(finished->exit_code, exit_code) << finished->errors;
    for (const std::string& line : finished->lines) {
      EXPECT_TRUE(absl::StartsWith(line, "{") || Columns(line) <= 80U) << line;  // JSON is wide
    }
    return finished->lines;
  }
  std::string Text(const std::vector<std::string>& arguments, int exit_code = 0) {
    return absl::StrJoin(Lines(arguments, exit_code), "\n");
  }
  std::string Errors(const std::vector<std::string>& arguments, int exit_code) {
    const auto finished = cli().Run(arguments);
    EXPECT_TRUE(finished.ok() && finished->exit_code == exit_code);
    return finished.ok() ? finished->errors : "";
  }
  // A guest that has just done what the spec port-denied forbids, and is calm.
  absl::StatusOr<Guest> Denied(const std::string& name) {
    KVMSENTRY_ASSIGN_OR_RETURN(
        Guest guest, StartGuest(name, "--behaviour pio --port 0x510 --count 1 --then calm"));
    KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
    // The score is there a moment before the alert can be read.
    const bool open = WaitUntil([&] {
      const auto listed = cli().Run({"alerts", "--open", "--json", "--vm", name});
      return listed.ok() && !listed->lines.empty();
    });
    if (!open) return absl::DeadlineExceededError("no alert opens");
    return guest;
  }
};

constexpr char kDenied[] = R"(
    spec { id: "port-denied" point: R5 feature: "pio.port" norm { deny { port: "0x510-0x511" } }
           weight: 5 severity: CRITICAL window { seconds: 3600 } why: "w" look_at: "l" })";

TEST_F(OperatorTest, StatusVmsAlertsAndMembersTellOfAVmThatMisbehaves) {
  ASSERT_OK(place().WriteSpecs("denied.textproto", kDenied));
  StartDaemon({});
  if (HasFatalFailure()) return;
  EXPECT_THAT(Lines({"alerts", "--open"}), ElementsAre("no open alerts"));
  EXPECT_EQ(Lines({"alerts", "--open", "--json"}).size(), 0U);
  EXPECT_THAT(Errors({"alerts", "--open", "--json"}, 0), HasSubstr("no open alerts"));

  const std::string bad = Name("bad");
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(bad));
  ASSERT_OK_AND_ASSIGN(Guest second, StartGuest(Name("vm10"), "--behaviour calm"));
  ASSERT_OK_AND_ASSIGN(Guest third, StartGuest(Name("vm2"), "--behaviour calm"));

  // Of the screen, the prompt takes a line.
  const std::vector<std::string> status = Lines({"status"}, /*exit_code=*/2);
  EXPECT_LE(status.size(), 23U);
  EXPECT_THAT(status, Contains(HasSubstr("open: 1 CRITICAL")));
  EXPECT_THAT(status, Contains(HasSubstr("1 alert open, of " + bad)));
  EXPECT_THAT(status, Contains(StartsWith("seen      R5")));
  EXPECT_THAT(status, Contains(HasSubstr("K1 K2 K3 K4 K5 K6 K7 R1 R2 R3 R4: no spec")));
  for (const char* part : {"--hooks", "--specs", "--losses"}) {
    const std::vector<std::string> lines = Lines({"status", part}, 2);
    ASSERT_GE(lines.size(), 4U) << part;
    EXPECT_EQ(lines[0], status[0]) << part;
    EXPECT_EQ(lines[1], "") << "the table alone follows";
  }
  EXPECT_THAT(Lines({"status", "--json"}, 2), ElementsAre(HasSubstr("\"hooks\":[{")));
  EXPECT_THAT(Text({"spec", "explain", "port-denied"}), HasSubstr("forbidden: ports 0x510-0x511"));
  EXPECT_THAT(Lines({"spec", "list", "--json"}), ElementsAre(HasSubstr("\"port-denied\"")));

  const std::vector<std::string> vms = Lines({"vms"});
  ASSERT_GE(vms.size(), 4U);
  EXPECT_THAT(vms[0], StartsWith("VM "));
  EXPECT_THAT(vms[1], testing::AllOf(StartsWith(bad.substr(0, 5)), HasSubstr("CRITICAL")));
  const std::vector<std::string> by_name = Lines({"vms", "--sort", "name"});
  const auto line_of = [&](const std::string& role) {
    return std::ranges::find_if(
               by_name,
               [&](const std::string& line) { return absl::StartsWith(line, role + "-"); }) -
           by_name.begin();
  };
  EXPECT_LT(line_of("vm2"), line_of("vm10"));
  EXPECT_THAT(Text({"vms", bad}), HasSubstr("1 open: 1 CRITICAL"));
  EXPECT_THAT(Text({"vms", bad}), HasSubstr("port-denied"));

  const std::vector<std::string> open = Lines({"alerts", "--open"});
  ASSERT_GE(open.size(), 2U);
  EXPECT_THAT(open.front(), HasSubstr("CRITICAL"));
  EXPECT_THAT(open, Contains(HasSubstr("port 0x510 (fw-cfg-select)")));
  EXPECT_THAT(open.back(), StartsWith("1 open: 1 CRITICAL"));
  EXPECT_THAT(Lines({"alerts", "--open", "-v"}), Contains("    why:      w"));

  const std::vector<std::string> members = Lines({"members", bad, "port"});
  ASSERT_EQ(members.size(), 2U);
  EXPECT_THAT(members[1], StartsWith("port 0x510 (fw-cfg-select)"));
  EXPECT_THAT(members[1], HasSubstr("outside port-denied"));
  EXPECT_THAT(Text({"members", bad}), HasSubstr("exit reason IO"));
}

TEST_F(OperatorTest, ATypoIsAnsweredWithTheNearest) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string vm = Name("typo");
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(vm, "--behaviour calm"));
  const std::string wrong = Name("tpyo");
  const std::string meant = absl::StrCat("did you mean \"", vm, "\"?");
  EXPECT_THAT(Errors({"vms", wrong}, 1), HasSubstr(meant));
  EXPECT_THAT(Errors({"members", wrong}, 1), HasSubstr(meant));
  EXPECT_THAT(Errors({"alerts", "--vm", wrong}, 0), HasSubstr(meant));
  EXPECT_THAT(Errors({"members", vm, "prot"}, 1), HasSubstr("did you mean \"pio.port\"?"));
  EXPECT_THAT(Errors({"spec", "explain", "port-deny"}, 1), HasSubstr("mean \"port-denied\"?"));
  EXPECT_THAT(Errors({"alrets"}, 2), HasSubstr("did you mean 'alerts'?"));
}

TEST_F(OperatorTest, WhoLacksTheRightIsToldTheGroup) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string folder = place().file("");
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
  ASSERT_EQ(chown(place().socket().c_str(), 0, 100), 0);  // "users" on every Debian
  // The build's folder need not be open to everybody.
  std::filesystem::copy_file(KVMSENTRY_CLI, place().file("client"));
  ASSERT_OK_AND_ASSIGN(
      const Finished refused,
      RunToEnd({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--",
                place().file("client"), "--socket", place().socket(), "status"}));
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.errors, HasSubstr("only root and the group users may"));
}

class SilenceTest : public OperatorTest {
 protected:
  std::vector<std::string> WithState() const { return {"--state-dir", place().state()}; }
};

TEST_F(SilenceTest, MarksAlertsDropsNoneAndIsKeptOverARestart) {
  ASSERT_OK(place().WriteSpecs("denied.textproto", kDenied));
  StartDaemon({}, WithState());
  if (HasFatalFailure()) return;
  const std::string vm = Name("known");
  ASSERT_OK_AND_ASSIGN(AlertStream all, cli().Follow({"--vm", vm}));
  ASSERT_OK_AND_ASSIGN(AlertStream heard, cli().Follow({"--vm", vm, "--hide-silenced"}));
  EXPECT_THAT(Text({"silence", "add", "--vm", vm, "--spec", "port-*", "--for", "1h", "--comment",
                    "a test", "--author", "alice"}),
              StartsWith("silence 1: vm " + vm));
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(vm));

  // It opens, marked; whoever does not want to see it does not.
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, all.WaitFor(vm, "port-denied", v1::Alert::OPEN));
  EXPECT_EQ(open.silenced_by(), 1U);
  ASSERT_OK(heard.ReadUpTo(ToTime(open.at())));
  EXPECT_THAT(heard.alerts(), testing::IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Finished status, cli().Run({"status"}));
  EXPECT_LT(status.exit_code, 2);
  EXPECT_THAT(status.lines, Contains(HasSubstr("none open; 1 silenced")));
  const std::vector<std::string> listed = Lines({"alerts", "--open"});
  ASSERT_GE(listed.size(), 2U);
  EXPECT_THAT(listed, Contains(HasSubstr("[s1]")));
  EXPECT_EQ(listed.back(), "none open; 1 silenced");
  EXPECT_THAT(Lines({"alerts", "--open", "--hide-silenced"}), ElementsAre("no open alerts"));

  // The next daemon knows it, and marks what opens again.
  StopDaemon();
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), WithState()));
  EXPECT_THAT(Text({"silence", "list"}), HasSubstr("alice  a test"));
  ASSERT_OK_AND_ASSIGN(Guest again, Denied(Name("known2")));
  EXPECT_EQ(Lines({"silence", "list"}).size(), 2U);

  EXPECT_THAT(Text({"silence", "end", "1"}), StartsWith("silence 1 ended: vm " + vm));
  EXPECT_THAT(Lines({"silence", "list"}), ElementsAre("no silences"));
  StopDaemon();
  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), WithState()));
  EXPECT_THAT(Lines({"silence", "list"}), ElementsAre("no silences"));
}

TEST_F(SilenceTest, OneThatEndsWhileAnAlertIsOpenLetsItBeHeard) {
  ASSERT_OK(place().WriteSpecs("denied.textproto", kDenied));
  StartDaemon({});
  if (HasFatalFailure()) return;
  const std::string vm = Name("soon");
  Text({"silence", "add", "--vm", vm, "--for", "1h", "--comment", "c"});
  ASSERT_OK_AND_ASSIGN(Guest guest, Denied(vm));
  EXPECT_THAT(Lines({"alerts", "--open", "--hide-silenced", "--vm", vm}),
              ElementsAre("no open alerts"));
  Text({"silence", "end", "1"});
  EXPECT_THAT(Text({"alerts", "--open", "--hide-silenced", "--vm", vm}), HasSubstr("CRITICAL"));
  // Its end passes a filter, for it was not silenced all its life.
  ASSERT_OK_AND_ASSIGN(AlertStream heard, cli().Follow({"--vm", vm, "--hide-silenced"}));
  ASSERT_OK(guest.Stop());
  ASSERT_OK(heard.WaitFor(vm, "port-denied", v1::Alert::CLEARED));
}

}  // namespace
}  // namespace kvmsentry
