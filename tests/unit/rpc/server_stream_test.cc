// Streams of alerts: what a subscriber is sent, who may subscribe, and how streams end.
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/wait.h"
#include "tests/unit/rpc/server_fixture.h"

namespace kvmsentry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr uint64_t kFarMore = 2'000;

class ServerStreamTest : public ServerTest {
 protected:
  // As fast as a subscriber reads that does nothing else, with whom one that does not read cannot
  // keep up.
  void PublishFarMoreThanIsBuffered() {
    Client client(socket_);
    Stream stream(client, Following());
    EXPECT_TRUE(stream.Read().has_heartbeat());
    for (uint64_t i = 1; i <= kFarMore; ++i) {
      ASSERT_TRUE(hub_->Publish(AlertOf("a", 16 << 10)).ok());
      ASSERT_EQ(stream.ReadSequence(), i);
    }
  }

  // What a subscriber is refused with; it must be refused.
  grpc::Status Refusal(const v1::SubscribeRequest& request) {
    Client client(socket_);
    Stream stream(client, request);
    EXPECT_EQ(stream.Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
    return stream.Finish();
  }
};

TEST_F(ServerStreamTest, SendsAHeartbeatThenWhatIsKeptThenWhatIsNew) {
  Start();
  Publish("a");
  Client client(socket_);
  Stream stream(client, Following());
  const v1::Heartbeat first = stream.Read().heartbeat();
  EXPECT_EQ(first.last().epoch(), kEpoch);
  EXPECT_EQ(first.last().sequence(), 1U);
  EXPECT_EQ(stream.ReadSequence(), 1U);
  Publish("b");
  EXPECT_EQ(stream.Read().alert().vm().name(), "b");
}

TEST_F(ServerStreamTest, EndsAfterWhatIsKeptWithoutFollow) {
  Start();
  Publish("a");
  Client client(socket_);
  Stream stream(client, {});
  EXPECT_TRUE(stream.Read().has_heartbeat());
  EXPECT_EQ(stream.ReadSequence(), 1U);
  EXPECT_EQ(stream.Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ServerStreamTest, SendsOnlyWhatPassesTheFilter) {
  Start();
  for (const char* vm : {"web-1", "db", "web-2"}) Publish(vm);
  v1::SubscribeRequest request;
  request.mutable_filter()->add_vm("web-*");
  Client client(socket_);
  Stream stream(client, request);
  stream.Read();
  EXPECT_EQ(stream.ReadSequence(), 1U);
  EXPECT_EQ(stream.ReadSequence(), 3U);
  EXPECT_EQ(stream.Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
}

TEST_F(ServerStreamTest, ResumesAfterAPositionAndTellsTheGap) {
  Start(/*kept=*/3);
  for (int i = 0; i < 6; ++i) Publish("a");
  v1::SubscribeRequest request;
  request.mutable_since()->set_epoch(kEpoch);
  request.mutable_since()->set_sequence(1);
  Client client(socket_);
  Stream stream(client, request);
  stream.Read();
  const v1::Gap gap = stream.Read().gap();
  EXPECT_EQ(gap.from().sequence(), 2U);
  EXPECT_EQ(gap.to().sequence(), 3U);
  EXPECT_EQ(gap.reason(), v1::Gap::NO_LONGER_KEPT);
  EXPECT_EQ(stream.ReadSequence(), 4U);
}

TEST_F(ServerStreamTest, SendsHeartbeatsAtIntervals) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  Client client(socket_);
  Stream stream(client, Following());
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(stream.Read().has_heartbeat());
    pulse_.Tick(SystemClock());
  }
}

TEST_F(ServerStreamTest, RefusesARequestThatItCannotRead) {
  Start();
  v1::SubscribeRequest request;
  request.mutable_filter()->add_vm("");
  const grpc::Status status = Refusal(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter.vm[0]"));
}

TEST_F(ServerStreamTest, RefusesMoreSubscribersThanItMayHaveUntilOneGoes) {
  options_.max_subscribers = 2;
  Start();
  Client client(socket_);
  Stream first(client, Following());
  Stream second(client, Following());
  first.Read();
  second.Read();
  EXPECT_EQ(Refusal(Following()).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.Cancel();
  ASSERT_TRUE(WaitUntil([&] { return SubscribersNow() == 1; }, kServesWithin));
  Stream third(client, Following());
  EXPECT_TRUE(third.Read().has_heartbeat());
}

TEST_F(ServerStreamTest, NoticesThatAConnectionIsGone) {
  Start();
  {
    Client client(socket_);
    Stream stream(client, Following());
    stream.Read();
    EXPECT_EQ(SubscribersNow(), 1U);
  }
  ASSERT_TRUE(WaitUntil([&] { return SubscribersNow() == 0; }, kServesWithin));
}

TEST_F(ServerStreamTest, ASlowSubscriberIsToldItsGapAndHoldsNobodyUp) {
  Start(/*kept=*/4);
  Client slow_client(socket_);
  Stream slow(slow_client, Following());
  EXPECT_TRUE(slow.Read().has_heartbeat());
  PublishFarMoreThanIsBuffered();
  uint64_t last = 0;
  bool told = false;
  while (last < kFarMore) {
    const v1::SubscribeResponse message = slow.Read();
    ASSERT_NE(message.event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
    if (message.has_gap()) {
      EXPECT_EQ(message.gap().reason(), v1::Gap::SLOW_SUBSCRIBER);
      EXPECT_EQ(message.gap().from().sequence(), last + 1);
      last = message.gap().to().sequence();
      told = true;
    } else if (message.has_alert()) {
      EXPECT_EQ(message.alert().position().sequence(), last + 1);
      last = message.alert().position().sequence();
    }
  }
  EXPECT_TRUE(told);
}

TEST_F(ServerStreamTest, StoppingEndsEveryStreamAndSaysWhy) {
  options_.stop_within = kServesWithin;
  options_.heartbeat = kServesWithin;
  Start();
  Client client(socket_);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(std::make_unique<Stream>(client, Following()));
    EXPECT_TRUE(streams.back()->Read().has_heartbeat());
  }
  server_->Stop();
  for (const auto& stream : streams) {
    EXPECT_EQ(stream->Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "sensor is stopping");
  }
}

TEST_F(ServerStreamTest, ASubscriberThatDoesNotReadCannotHoldUpTheStop) {
  options_.stop_within = absl::Milliseconds(100);
  Start(/*kept=*/4);
  Client client(socket_);
  Stream stuck(client, Following());
  EXPECT_TRUE(stuck.Read().has_heartbeat());
  PublishFarMoreThanIsBuffered();
  const auto begin = steady_clock::now();
  server_.reset();
  const auto took = steady_clock::now() - begin;
  EXPECT_GE(took, milliseconds(100)) << "it was not stuck, so this tested nothing";
  EXPECT_LT(took, seconds(10));
}

TEST_F(ServerStreamTest, StreamsComeAndGoWhileAlertsArePublishedAndTheServerStops) {
  options_.heartbeat = absl::Milliseconds(1);
  Start(/*kept=*/8);
  std::jthread publisher([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      Publish("a");
      pulse_.Tick(SystemClock());
    }
  });
  std::vector<std::jthread> clients;
  std::promise<void> stopped;
  std::shared_future<void> until = stopped.get_future();
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([until, client = std::make_shared<Client>(socket_)] {
      while (until.wait_for(seconds(0)) != std::future_status::ready) {
        Stream stream(*client, Following());
        for (int n = 0; n < 5; ++n) stream.Read();
        stream.Cancel();
      }
    });
  }
  ASSERT_TRUE(
      WaitUntil([&] { return hub_->journal().bounds().last().sequence > 500; }, kServesWithin));
  server_->Stop();
  stopped.set_value();
}

}  // namespace
}  // namespace kvmsentry
