// The server and a client of its own, over a real unix socket.
#include "sensor/rpc/server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "kvmsentry/v1/silence.grpc.pb.h"
#include "sensor/alert/memory_journal.h"
#include "sensor/rpc/connect.h"
#include "tests/support/raw_call.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kEpoch = 9;
constexpr uint64_t kFarMore = 2'000;
// No test waits for it unless it fails.
constexpr seconds kPatience(60);

class FakeView final : public SensorView {
 public:
  SensorStatus Status() const override {
    SensorStatus status;
    status.version = "1.2.3";
    status.max_vms = 256;
    status.vms_watched = 1;
    status.vms_unwatched = 2;
    status.specs = {{.id = "pio-storm", .coverage = Coverage::kActive, .reason = ""}};
    return status;
  }
  std::vector<VmView> Vms(bool) const override {
    std::vector<VmView> vms(3);
    vms[0].vm.name = "web-2";
    vms[0].watched = true;
    auto given = std::make_shared<GivenRecord>();
    given->given.memory.size = {64, FactOrigin::kArgv};
    vms[0].given = std::move(given);
    vms[1].vm.name = "db";
    vms[1].vm.uuid = "web-uuid";
    vms[2].vm.name = "other";
    return vms;
  }
  std::optional<MembersView> Members(VmId) const override { return std::nullopt; }
  std::vector<SpecView> Specs() const override {
    std::vector<SpecView> specs(1);
    specs[0].id = "pio-storm";
    return specs;
  }
};

JournaledAlert Alert(const std::string& vm, size_t summary_bytes = 0) {
  JournaledAlert alert;
  alert.event.vm.name = vm;
  alert.event.summary = std::string(summary_bytes, 's');
  return alert;
}

// A client with a connection of its own.
class Client {
 public:
  explicit Client(const std::string& path) {
    Fd fd = ConnectUnix(path);
    EXPECT_TRUE(fd) << path << ": " << strerror(errno);
    channel_ = grpc::CreateInsecureChannelFromFd("test", dup(fd.get()));
    alerts_ = v1::Alerts::NewStub(channel_);
    sensor_ = v1::Sensor::NewStub(channel_);
  }
  v1::Alerts::Stub& alerts() { return *alerts_; }
  v1::Sensor::Stub& sensor() { return *sensor_; }
  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Alerts::Stub> alerts_;
  std::unique_ptr<v1::Sensor::Stub> sensor_;
};

class Stream {
 public:
  Stream(Client& client, const v1::SubscribeRequest& request) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    reader_ = client.alerts().Subscribe(&context_, request);
  }
  // The next message, empty at the end.
  v1::SubscribeResponse Read() {
    v1::SubscribeResponse message;
    if (!reader_->Read(&message)) message.Clear();
    return message;
  }
  uint64_t ReadSequence() { return Read().alert().position().sequence(); }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
};

v1::SubscribeRequest Following() {
  v1::SubscribeRequest request;
  request.set_follow(true);
  return request;
}

class ServerTest : public ::testing::Test {
 protected:
  void Start(size_t kept = 100) {
    options_.access.max_requests = 0;  // some tests ask until something holds
    hub_ = std::make_unique<Hub>(std::make_unique<MemoryJournal>(kEpoch, kept));
    socket_ = dir_ / "run/s.sock";
    auto place = SocketPlace::Prepare(socket_);
    ASSERT_TRUE(place.ok()) << place.status();
    auto server = Server::Start(*std::move(place), options_, *hub_, view_, pulse_, SystemClock());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    pulse_.Tick(SystemClock());
  }

  void Publish(const std::string& vm) { ASSERT_TRUE(hub_->Publish(Alert(vm)).ok()); }

  // As fast as a subscriber reads that does nothing else, with whom one that does not read cannot
  // keep up.
  void PublishFarMoreThanIsBuffered() {
    Client client(socket_);
    Stream stream(client, Following());
    EXPECT_TRUE(stream.Read().has_heartbeat());
    for (uint64_t i = 1; i <= kFarMore; ++i) {
      ASSERT_TRUE(hub_->Publish(Alert("a", 16 << 10)).ok());
      ASSERT_EQ(stream.ReadSequence(), i);
    }
  }

  uint32_t SubscribersNow() {
    Client client(socket_);
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(client.sensor().GetStatus(&context, {}, &response).ok());
    return response.subscribers();
  }

  // What a subscriber is refused with; it must be refused.
  grpc::Status Refusal(const v1::SubscribeRequest& request) {
    Client client(socket_);
    Stream stream(client, request);
    EXPECT_EQ(stream.Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
    return stream.Finish();
  }

  const TempDir dir_ = TempDir::Make().value();
  std::string socket_;
  ServerOptions options_;
  FakeView view_;
  Pulse pulse_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
};

void Eventually(const std::function<bool()>& holds) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!holds()) {
    ASSERT_LT(steady_clock::now(), deadline);
    std::this_thread::yield();
  }
}

TEST_F(ServerTest, TheSocketHasItsModeAndGoesWithTheServer) {
  Start();
  struct stat found {};
  ASSERT_EQ(stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0660U);
  ASSERT_EQ(stat((dir_ / "run").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0750U);
  server_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "run"));
}

TEST_F(ServerTest, ASecondServerIsRefusedAndTheFirstGoesOn) {
  Start();
  const auto second = SocketPlace::Prepare(socket_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another kvmsentryd"));
  EXPECT_EQ(SubscribersNow(), 0U);
}

TEST_F(ServerTest, SendsAHeartbeatThenWhatIsKeptThenWhatIsNew) {
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

TEST_F(ServerTest, EndsAfterWhatIsKeptWithoutFollow) {
  Start();
  Publish("a");
  Client client(socket_);
  Stream stream(client, {});
  EXPECT_TRUE(stream.Read().has_heartbeat());
  EXPECT_EQ(stream.ReadSequence(), 1U);
  EXPECT_EQ(stream.Read().event_case(), v1::SubscribeResponse::EVENT_NOT_SET);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ServerTest, SendsOnlyWhatPassesTheFilter) {
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

TEST_F(ServerTest, ResumesAfterAPositionAndTellsTheGap) {
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

TEST_F(ServerTest, SendsHeartbeatsAtIntervals) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  Client client(socket_);
  Stream stream(client, Following());
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(stream.Read().has_heartbeat());
    pulse_.Tick(SystemClock());
  }
}

TEST_F(ServerTest, RefusesARequestThatItCannotRead) {
  Start();
  v1::SubscribeRequest request;
  request.mutable_filter()->add_vm("");
  const grpc::Status status = Refusal(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter.vm[0]"));
}

TEST_F(ServerTest, RefusesMoreSubscribersThanItMayHaveUntilOneGoes) {
  options_.max_subscribers = 2;
  Start();
  Client client(socket_);
  Stream first(client, Following());
  Stream second(client, Following());
  first.Read();
  second.Read();
  EXPECT_EQ(Refusal(Following()).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.Cancel();
  Eventually([&] { return SubscribersNow() == 1; });
  Stream third(client, Following());
  EXPECT_TRUE(third.Read().has_heartbeat());
}

TEST_F(ServerTest, NoticesThatAConnectionIsGone) {
  Start();
  {
    Client client(socket_);
    Stream stream(client, Following());
    stream.Read();
    EXPECT_EQ(SubscribersNow(), 1U);
  }
  Eventually([&] { return SubscribersNow() == 0; });
}

TEST_F(ServerTest, ASlowSubscriberIsToldItsGapAndHoldsNobodyUp) {
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

TEST_F(ServerTest, StoppingEndsEveryStreamAndSaysWhy) {
  options_.stop_within = absl::FromChrono(kPatience);
  options_.heartbeat = absl::FromChrono(kPatience);
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

TEST_F(ServerTest, ASubscriberThatDoesNotReadCannotHoldUpTheStop) {
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

TEST_F(ServerTest, StreamsComeAndGoWhileAlertsArePublishedAndTheServerStops) {
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
  Eventually([&] { return hub_->journal().bounds().last().sequence > 500; });
  server_->Stop();
  stopped.set_value();
}

TEST_F(ServerTest, TellsTheStatusWithWhatOnlyTheServerKnows) {
  options_.max_subscribers = 5;
  Start(/*kept=*/7);
  Publish("a");
  Client client(socket_);
  Stream stream(client, Following());
  stream.Read();
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  ASSERT_TRUE(client.sensor().GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_EQ(response.last_alert().epoch(), kEpoch);
  EXPECT_EQ(response.last_alert().sequence(), 1U);
  EXPECT_EQ(response.subscribers(), 1U);
  EXPECT_EQ(response.limits().max_subscribers(), 5U);
  EXPECT_EQ(response.limits().alerts_kept(), 7U);
  EXPECT_EQ(response.limits().max_vms(), 256U);
  EXPECT_EQ(response.vms_watched(), 1U);
  EXPECT_EQ(response.vms_unwatched(), 2U);
}

TEST_F(ServerTest, ListsVmsByNameAndByGlob) {
  Start();
  Client client(socket_);
  const auto list = [&](v1::ListVmsRequest request) {
    grpc::ClientContext context;
    v1::ListVmsResponse response;
    EXPECT_TRUE(client.sensor().ListVms(&context, request, &response).ok());
    std::vector<std::string> names;
    for (const v1::VmStatus& vm : response.vms()) names.push_back(vm.vm().name());
    return names;
  };
  v1::ListVmsRequest request;
  EXPECT_THAT(list(request), ElementsAre("db", "other", "web-2"));
  request.add_vm("web-*");
  EXPECT_THAT(list(request), ElementsAre("db", "web-2"));

  request.add_vm("");
  grpc::ClientContext context;
  v1::ListVmsResponse response;
  EXPECT_EQ(client.sensor().ListVms(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, TellsWhatVmsWereGivenIfAsked) {
  Start();
  Client client(socket_);
  v1::ListVmsRequest request;
  request.add_vm("web-2");
  for (const bool asked : {false, true}) {
    request.set_given(asked);
    grpc::ClientContext context;
    v1::ListVmsResponse response;
    ASSERT_TRUE(client.sensor().ListVms(&context, request, &response).ok());
    ASSERT_EQ(response.vms_size(), 1);
    EXPECT_EQ(response.vms(0).has_given(), asked);
  }
}

TEST_F(ServerTest, ListsSpecs) {
  Start();
  Client client(socket_);
  grpc::ClientContext context;
  v1::ListSpecsResponse response;
  ASSERT_TRUE(client.sensor().ListSpecs(&context, {}, &response).ok());
  ASSERT_EQ(response.specs_size(), 1);
  EXPECT_EQ(response.specs(0).id(), "pio-storm");
}

TEST_F(ServerTest, HealthIsServingOnlyWhenTheSensorWorks) {
  // grpc.health.v1: HealthCheckRequest.service = 1; HealthCheckResponse.status = 1, SERVING = 1,
  // NOT_SERVING = 2.
  const std::string serving = "\x08\x01", not_serving = "\x08\x02";
  const std::string alerts = "\x0a\x13kvmsentry.v1.Alerts";
  Start();
  Client client(socket_);
  const auto check = [&](const std::string& service) {
    return CallRaw(client.channel(), "/grpc.health.v1.Health/Check", service).value_or("refused");
  };
  EXPECT_EQ(check(""), not_serving);
  EXPECT_EQ(check(alerts), not_serving);
  server_->SetServing(true);
  EXPECT_EQ(check(""), serving);
  EXPECT_EQ(check(alerts), serving);
  server_->SetServing(false);
  EXPECT_EQ(check(""), not_serving);
}

TEST_F(ServerTest, ReflectionListsTheServices) {
  Start();
  Client client(socket_);
  // ServerReflectionRequest.list_services = 7.
  const auto reflected =
      CallRaw(client.channel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              "\x3a\x01*");
  ASSERT_TRUE(reflected.ok()) << reflected.status();
  const std::string& answer = *reflected;
  EXPECT_THAT(answer, HasSubstr("kvmsentry.v1.Alerts"));
  EXPECT_THAT(answer, HasSubstr("kvmsentry.v1.Sensor"));
  EXPECT_THAT(answer, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(ServerTest, ASilenceMarksWhatIsOpenUntilItIsEnded) {
  ASSERT_NO_FATAL_FAILURE(Start());
  JournaledAlert open = Alert("web-1");
  open.event.vm.id = {4};
  open.event.spec_id = "pio-storm";
  open.event.state = AlertState::kOpen;
  open.event.severity = Severity::kCritical;
  ASSERT_TRUE(hub_->Publish(std::move(open)).ok());
  Client client(socket_);
  const auto admin = v1::SilenceAdmin::NewStub(client.channel());

  v1::AddSilenceRequest request;
  request.mutable_match()->set_vm("web-*");
  request.mutable_lasts()->set_seconds(3600);
  v1::AddSilenceResponse added;
  {
    grpc::ClientContext context;
    const grpc::Status refused = admin->Add(&context, request, &added);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(refused.error_message(), HasSubstr("comment: empty"));
  }
  request.set_comment("known");
  {
    grpc::ClientContext context;
    ASSERT_TRUE(admin->Add(&context, request, &added).ok());
    EXPECT_EQ(added.silence().id(), 1U);
    EXPECT_FALSE(added.kept());
  }
  const auto silenced = [&] {
    grpc::ClientContext context;
    v1::ListOpenAlertsResponse response;
    EXPECT_TRUE(client.alerts().ListOpen(&context, {}, &response).ok());
    return response.alerts(0).silenced_by();
  };
  const auto listed = [&] {
    grpc::ClientContext context;
    v1::ListSilencesResponse response;
    EXPECT_TRUE(client.alerts().ListSilences(&context, {}, &response).ok());
    return response.silences_size();
  };
  EXPECT_EQ(silenced(), 1U);
  EXPECT_EQ(listed(), 1);
  {
    grpc::ClientContext context;
    v1::GetStatusResponse status;
    ASSERT_TRUE(client.sensor().GetStatus(&context, {}, &status).ok());
    EXPECT_EQ(status.silences(), 1U);
    ASSERT_EQ(status.open_alerts_size(), 1);
    EXPECT_EQ(status.open_alerts(0).ShortDebugString(), "severity: CRITICAL silenced: 1");
  }
  for (const bool there : {true, false}) {
    grpc::ClientContext context;
    v1::EndSilenceRequest end;
    end.set_id(1);
    v1::EndSilenceResponse ended;
    EXPECT_EQ(admin->End(&context, end, &ended).error_code(),
              there ? grpc::StatusCode::OK : grpc::StatusCode::NOT_FOUND);
  }
  EXPECT_EQ(silenced(), 0U);
  EXPECT_EQ(listed(), 0);
}

}  // namespace
}  // namespace kvmsentry
