// The daemon is killed while alerts flow: a client that resumes has all of them, each once.
#include <csignal>
#include <map>
#include <random>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;

constexpr int kKills = 25;
constexpr char kChatter[] = "--behaviour pio --rate 5 --vms 8";

// Four of them make a hundred kills.
class JournalKillTest : public FewHooksTest, public ::testing::WithParamInterface<uint32_t> {};

// Of one epoch, from 1 on, without holes.
std::vector<uint64_t> Sequences(const std::vector<v1::Alert>& alerts) {
  std::vector<uint64_t> sequences;
  for (const v1::Alert& alert : alerts) sequences.push_back(alert.position().sequence());
  return sequences;
}

void ReadFor(AlertStream& stream, absl::Duration time) {
  const absl::Time end = absl::Now() + time;
  while (absl::Now() < end) stream.Read(end - absl::Now()).IgnoreError();
}

// An alert opens, and clears before it opens again.
void ExpectWholeLives(const std::vector<v1::Alert>& alerts) {
  std::map<std::pair<uint64_t, std::string>, bool> open;
  for (const v1::Alert& alert : alerts) {
    bool& is_open = open[{alert.vm().id(), alert.key()}];
    EXPECT_EQ(alert.state() != v1::Alert::OPEN, is_open) << alert.ShortDebugString();
    is_open = alert.state() != v1::Alert::CLEARED;
  }
}

TEST_P(JournalKillTest, AClientThatResumesHasEachAlertOnce) {
  std::minstd_rand random(GetParam());
  SCOPED_TRACE(absl::StrCat("seed ", GetParam()));
  const std::vector<std::string> options = {"--state-dir", place().state(), "--json-lines",
                                            place().file("alerts.jsonl")};
  StartDaemon({"chatter.textproto"}, options);
  if (HasFatalFailure()) return;
  // Its VMs have the names of the first and "#2" and so on.
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("chatter"), kChatter));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  std::uniform_int_distribution<int> milliseconds(0, 2'500);
  for (int kill = 0; kill < kKills; ++kill) {
    // Also within the start: the client waits a second before it connects again.
    ReadFor(stream, absl::Milliseconds(milliseconds(random)));
    ASSERT_OK(daemon_->process().Signal(SIGKILL));
    ASSERT_OK(daemon_->process().Wait());
    ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place(), options));
  }
  ReadFor(stream, absl::Seconds(3));
  ASSERT_OK(stream.ReadUpTo(absl::Now()));

  EXPECT_THAT(stream.gaps(), IsEmpty());
  const std::vector<v1::Alert>& alerts = stream.alerts();
  ASSERT_GT(alerts.size(), 8U * kKills);
  std::vector<uint64_t> expected(alerts.size());
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = i + 1;
  EXPECT_EQ(Sequences(alerts), expected);
  EXPECT_EQ(alerts.back().position().epoch(), alerts.front().position().epoch());
  ExpectWholeLives(alerts);

  // What is kept is what the client got, and the file of the sink as well.
  ASSERT_OK_AND_ASSIGN(const auto kept, cli().Alerts());
  ExpectBeginsWith(kept, alerts);
  StopDaemon();
  ASSERT_OK_AND_ASSIGN(const Finished lines, RunToEnd({"cat", place().file("alerts.jsonl")}));
  ASSERT_GE(lines.lines.size(), alerts.size());
  for (size_t i = 0; i < lines.lines.size(); ++i) {
    ASSERT_THAT(lines.lines[i], ::testing::HasSubstr(absl::StrCat("\"sequence\":\"", i + 1, "\"")));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, JournalKillTest, ::testing::Range(1U, 5U));

}  // namespace
}  // namespace kvmsentry
