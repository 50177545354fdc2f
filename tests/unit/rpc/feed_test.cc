#include "sensor/rpc/feed.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

#include "sensor/alert/memory_journal.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;

class FakeClock final : public Clock {
 public:
  KernelTime Now() const override { return now; }
  absl::Time WallNow() const override { return absl::FromUnixNanos(now.ns); }
  KernelTime now{1};
};

class FeedTest : public ::testing::Test {
 protected:
  void Publish(const std::string& spec) {
    JournaledAlert alert;
    alert.event.spec_id = spec;
    ASSERT_TRUE(hub_.Publish(std::move(alert)).ok());
  }

  Feed Subscribe(Subscription subscription) {
    return Feed(hub_, pulse_, clock_, std::move(subscription), absl::Seconds(10));
  }

  void Pass(int64_t ns) {
    clock_.now = clock_.now + ns;
    pulse_.Tick(clock_);
  }

  // What the feed gives until it rests or ends: "heartbeat 3", "alert 4", "gap 1-2", "idle", "end".
  static std::vector<std::string> Drain(Feed& feed) {
    std::vector<std::string> out;
    for (;;) {
      v1::SubscribeResponse message;
      const Feed::Next next = feed.Advance(message).value();
      if (next == Feed::Next::kIdle || next == Feed::Next::kEnd) {
        out.emplace_back(next == Feed::Next::kIdle ? "idle" : "end");
        return out;
      }
      if (message.has_heartbeat()) {
        out.push_back(absl::StrCat("heartbeat ", message.heartbeat().last().sequence()));
      } else if (message.has_alert()) {
        out.push_back(absl::StrCat("alert ", message.alert().position().sequence()));
      } else {
        out.push_back(absl::StrCat("gap ", message.gap().from().sequence(), "-",
                                   message.gap().to().sequence()));
      }
    }
  }

  FakeClock clock_;
  Pulse pulse_;
  Hub hub_{std::make_unique<MemoryJournal>(9, 4)};
};

TEST_F(FeedTest, GreetsWithAHeartbeatThenGivesWhatIsKeptThenEnds) {
  Publish("a");
  Publish("b");
  Feed feed = Subscribe({});
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 2", "alert 1", "alert 2", "end"));
}

TEST_F(FeedTest, EndsAtWhatWasWrittenWhenItBegan) {
  Publish("a");
  Feed feed = Subscribe({});
  Publish("b");
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 1", "alert 1", "end"));
}

TEST_F(FeedTest, FollowsWhatIsNew) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 0", "idle"));
  Publish("a");
  EXPECT_THAT(Drain(feed), ElementsAre("alert 1", "idle"));
}

TEST_F(FeedTest, SkipsWhatIsKeptOnDemand) {
  Publish("a");
  Feed feed = Subscribe({.since = {}, .follow = true, .only_new = true});
  Publish("b");
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 1", "alert 2", "idle"));
}

// Its end has another summary, and whoever was told of the alert waits for that.
TEST_F(FeedTest, WhoAsksForATextIsToldTheEndOfWhatHadIt) {
  const auto step = [this](const std::string& key, AlertState state, const std::string& summary) {
    JournaledAlert alert;
    alert.event.key = key;
    alert.event.state = state;
    alert.event.summary = summary;
    ASSERT_TRUE(hub_.Publish(std::move(alert)).ok());
  };
  Subscription about_ports{.since = {}, .follow = true};
  about_ports.filter.text = "port";
  Feed feed = Subscribe(std::move(about_ports));
  step("a", AlertState::kOpen, "port 0x60");
  step("b", AlertState::kOpen, "page 0x1000");
  step("a", AlertState::kCleared, "ended");
  step("b", AlertState::kCleared, "ended");
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 0", "alert 1", "alert 3", "idle"));
  step("a", AlertState::kOpen, "page 0x1000");
  EXPECT_THAT(Drain(feed), ElementsAre("idle"));
}

TEST_F(FeedTest, AHeartbeatTellsAFilteredStreamHowFarItHasRead) {
  Subscription only_b{.since = {}, .follow = true};
  only_b.filter.spec = {"b"};
  Feed feed = Subscribe(std::move(only_b));
  Publish("a");
  Publish("b");
  Publish("a");
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 0", "alert 2", "idle"));
  Pass(10 * kNsPerSecond);
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 3", "idle"));
}

TEST_F(FeedTest, AHeartbeatWaitsForWhatItsTickRaised) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  Drain(feed);
  clock_.now = clock_.now + 10 * kNsPerSecond;
  pulse_.Tick(clock_, 1);  // that alert is still on its way to the disk
  EXPECT_THAT(Drain(feed), ElementsAre("idle"));
  Publish("a");
  EXPECT_THAT(Drain(feed), ElementsAre("alert 1", "heartbeat 1", "idle"));
}

TEST_F(FeedTest, AHeartbeatComesAtItsTimeAndNotBefore) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  Drain(feed);
  Pass(10 * kNsPerSecond - 1);
  EXPECT_THAT(Drain(feed), ElementsAre("idle"));
  Pass(1);
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 0", "idle"));
  EXPECT_THAT(Drain(feed), ElementsAre("idle"));
}

TEST_F(FeedTest, WhileTheLoopStandsStillThereIsNoHeartbeat) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  Drain(feed);
  Pass(10 * kNsPerSecond);
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 0", "idle"));
  clock_.now = clock_.now + 100 * kNsPerSecond;
  EXPECT_THAT(Drain(feed), ElementsAre("idle"));
  Publish("a");
  EXPECT_THAT(Drain(feed), ElementsAre("alert 1", "idle"));
  pulse_.Tick(clock_);
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 1", "idle"));
}

TEST_F(FeedTest, AHeartbeatTellsWhenTheLoopTicked) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  Drain(feed);
  Pass(10 * kNsPerSecond);
  const absl::Time ticked = clock_.WallNow();
  clock_.now = clock_.now + kNsPerSecond;
  v1::SubscribeResponse message;
  ASSERT_EQ(feed.Advance(message).value(), Feed::Next::kMessage);
  EXPECT_EQ(message.heartbeat().at().nanos(), absl::ToUnixNanos(ticked) % kNsPerSecond);
  EXPECT_EQ(message.heartbeat().at().seconds(), absl::ToUnixSeconds(ticked));
}

TEST_F(FeedTest, AHeartbeatThatIsDueWaitsForTheAlertsBeforeIt) {
  Feed feed = Subscribe({.since = {}, .follow = true});
  Drain(feed);
  Publish("a");
  Pass(20 * kNsPerSecond);
  EXPECT_THAT(Drain(feed), ElementsAre("alert 1", "heartbeat 1", "idle"));
}

TEST_F(FeedTest, TellsGapsWhateverTheFilter) {
  for (int i = 0; i < 6; ++i) Publish("a");
  Subscription filtered{.since = Position{9, 1}, .follow = true};
  filtered.filter.spec = {"none"};
  Feed feed = Subscribe(std::move(filtered));
  EXPECT_THAT(Drain(feed), ElementsAre("heartbeat 6", "gap 2-2", "idle"));
  for (int i = 0; i < 6; ++i) Publish("a");
  EXPECT_THAT(Drain(feed), ElementsAre("gap 7-8", "idle"));
}

}  // namespace
}  // namespace kvmsentry
