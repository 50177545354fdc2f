// The stream of alerts: resumed, filtered, and when either end goes.
#include <csignal>
#include <functional>

#include <google/protobuf/util/message_differencer.h>

#include "tests/e2e/fixture.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kDeniedPort[] = "--behaviour pio --port 0x510 --count 1 --then calm";
constexpr char kDeniedMsr[] = "--behaviour msr --msr 0x79 --count 1 --then calm";

class StreamTest : public FewHooksTest {
 protected:
  // A guest that causes one alert by the spec, which has opened and cleared.
  absl::StatusOr<Guest> CauseOne(AlertStream& stream, const std::string& vm,
                                 absl::string_view behaviour, absl::string_view spec) {
    KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, StartGuest(vm, behaviour));
    KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
    KVMSENTRY_RETURN_IF_ERROR(stream.WaitFor(vm, spec, v1::Alert::CLEARED).status());
    return guest;
  }

  // The alerts among the messages that ARGUMENTS bring.
  absl::StatusOr<std::vector<v1::Alert>> Kept(const std::vector<std::string>& arguments = {}) {
    KVMSENTRY_ASSIGN_OR_RETURN(const auto messages, cli().Alerts(arguments));
    std::vector<v1::Alert> alerts;
    for (const v1::SubscribeResponse& message : messages) {
      if (message.has_alert()) alerts.push_back(message.alert());
    }
    return alerts;
  }
};

// SOME are, in order, those of ALL that pass; ALL were asked for later, so it may have more.
void ExpectThoseThatPass(const std::vector<v1::Alert>& some, const std::vector<v1::Alert>& all,
                         const std::function<bool(const v1::Alert&)>& pass) {
  size_t next = 0;
  for (const v1::Alert& alert : all) {
    if (!pass(alert) || next == some.size()) continue;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(some[next], alert))
        << some[next].ShortDebugString() << "\nis not\n"
        << alert.ShortDebugString();
    ++next;
  }
  EXPECT_EQ(next, some.size());
}

TEST_F(StreamTest, AClientThatWasGoneGetsExactlyWhatItMissed) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string before = Name("before");
  const std::string after = Name("after");
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest first, CauseOne(stream, before, kDeniedPort, "port-denied"));
  ASSERT_OK(stream.process().Signal(SIGTERM));
  ASSERT_OK_AND_ASSIGN(const int ended, stream.process().Wait());
  EXPECT_EQ(ended, 0) << stream.process().Errors();
  const v1::Position last = stream.alerts().back().position();

  ASSERT_OK_AND_ASSIGN(AlertStream other, cli().Follow({"--only-new"}));
  ASSERT_OK_AND_ASSIGN(Guest second, CauseOne(other, after, kDeniedPort, "port-denied"));

  ASSERT_OK_AND_ASSIGN(const auto missed, cli().Alerts({"--since", ToText(last)}));
  std::vector<v1::Alert> alerts;
  for (const v1::SubscribeResponse& message : missed) {
    ASSERT_TRUE(message.has_alert()) << message.ShortDebugString();
    EXPECT_EQ(message.alert().position().epoch(), last.epoch());
    EXPECT_EQ(message.alert().position().sequence(), last.sequence() + alerts.size() + 1);
    alerts.push_back(message.alert());
  }
  EXPECT_THAT(AlertsOf(before, alerts), IsEmpty());
  EXPECT_THAT(AlertsOf(after, alerts), SizeIs(2));
  ASSERT_OK_AND_ASSIGN(const auto all, Kept());
  EXPECT_THAT(AlertsOf(before, all), SizeIs(2));
  ExpectThoseThatPass(alerts, all, [&](const v1::Alert& alert) {
    return alert.position().sequence() > last.sequence();
  });
}

TEST_F(StreamTest, WhatCannotBeResumedIsAGapAndThenAllThatIsKept) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string vm = Name("one");
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest guest, CauseOne(stream, vm, kDeniedPort, "port-denied"));
  ASSERT_OK_AND_ASSIGN(const auto unknown, cli().Alerts({"--since", "1:7"}));
  ASSERT_THAT(unknown, Not(IsEmpty()));
  const v1::Gap& gap = unknown[0].gap();
  EXPECT_EQ(gap.reason(), v1::Gap::EPOCH_CHANGED);
  EXPECT_EQ(ToText(gap.from()), "1:7");
  ASSERT_GE(unknown.size(), 3U);
  EXPECT_EQ(unknown[1].alert().position().sequence(), 1U);

  v1::Position ahead = stream.alerts().back().position();
  ahead.set_sequence(ahead.sequence() + 1000);
  ASSERT_OK_AND_ASSIGN(const auto future, cli().Alerts({"--since", ToText(ahead)}));
  ASSERT_THAT(future, Not(IsEmpty()));
  EXPECT_EQ(future[0].gap().reason(), v1::Gap::NOT_YET_WRITTEN);
}

TEST_F(StreamTest, FiltersPassExactlyWhatMatches) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const std::string ports = Name("ports");
  const std::string msrs = Name("msrs");
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest port_guest, CauseOne(stream, ports, kDeniedPort, "port-denied"));
  ASSERT_OK_AND_ASSIGN(Guest msr_guest, CauseOne(stream, msrs, kDeniedMsr, "msr-denied"));

  struct Filter {
    std::vector<std::string> arguments;
    std::function<bool(const v1::Alert&)> pass;
    std::string of;  // the VM that it is made for
  };
  const Filter filters[] = {
      {{"--vm", ports}, [&](const v1::Alert& a) { return a.vm().name() == ports; }, ports},
      {{"--point", "R2"}, [](const v1::Alert& a) { return a.point() == v1::R2; }, msrs},
      {{"--min-severity", "warning"},
       [](const v1::Alert& a) { return a.severity() >= v1::WARNING; },
       msrs},
      {{"--spec", "port-*"},
       [](const v1::Alert& a) { return a.spec_id() == "port-denied"; },
       ports},
      {{"--vm", msrs, "--point", "K1", "--point", "R2", "--spec", "m*", "--spec", "x"},
       [&](const v1::Alert& a) { return a.vm().name() == msrs && a.spec_id() == "msr-denied"; },
       msrs},
  };
  for (const Filter& filter : filters) {
    SCOPED_TRACE(filter.arguments[0]);
    ASSERT_OK_AND_ASSIGN(const auto some, Kept(filter.arguments));
    ASSERT_OK_AND_ASSIGN(const auto all, Kept());
    ExpectThoseThatPass(some, all, filter.pass);
    EXPECT_THAT(AlertsOf(filter.of, some), SizeIs(2));
    EXPECT_THAT(AlertsOf(filter.of == ports ? msrs : ports, some), IsEmpty());
  }
  ASSERT_OK_AND_ASSIGN(const auto none, Kept({"--vm", ports, "--point", "R2"}));
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(StreamTest, AClientThatIsKilledLeavesTheDaemonAndTheOthersWell) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  const auto subscribers = [&](uint32_t count) {
    return WaitUntil([&] {
      const auto status = cli().Status();
      return status.ok() && status->subscribers() == count;
    });
  };
  ASSERT_OK_AND_ASSIGN(AlertStream victim, cli().Follow());
  ASSERT_OK_AND_ASSIGN(AlertStream other, cli().Follow());
  ASSERT_TRUE(subscribers(2));
  ASSERT_OK(victim.process().Signal(SIGKILL));
  ASSERT_OK_AND_ASSIGN(const int ended, victim.process().Wait());
  EXPECT_EQ(ended, 128 + SIGKILL);
  EXPECT_TRUE(subscribers(1));
  ASSERT_OK(CauseOne(other, Name("later"), kDeniedPort, "port-denied"));
}

TEST_F(StreamTest, AFollowingClientSaysThatTheDaemonEndedAndGoesOnWithTheNextOne) {
  StartDaemon({"sets.textproto"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_OK_AND_ASSIGN(Guest guest, CauseOne(stream, Name("first"), kDeniedPort, "port-denied"));
  StopDaemon();
  ASSERT_TRUE(WaitUntil([&] { return !stream.process().Errors().empty(); }));
  EXPECT_THAT(stream.process().Errors(), HasSubstr("lost the stream"));
  ASSERT_OK_AND_ASSIGN(const Finished status, cli().Run({"status"}));
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.lines, IsEmpty());
  EXPECT_THAT(status.errors, HasSubstr("cannot reach kvmsentryd at " + place().socket()));

  ASSERT_OK_AND_ASSIGN(daemon_, Daemon::Start(place()));
  ASSERT_OK(CauseOne(stream, Name("second"), kDeniedPort, "port-denied"));
  // What the first daemon kept is gone with it: said, not hidden.
  ASSERT_THAT(stream.gaps(), SizeIs(1));
  EXPECT_EQ(stream.gaps()[0].reason(), v1::Gap::EPOCH_CHANGED);
  ASSERT_OK(stream.process().Signal(SIGTERM));
  ASSERT_OK_AND_ASSIGN(const int ended, stream.process().Wait());
  EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace kvmsentry
