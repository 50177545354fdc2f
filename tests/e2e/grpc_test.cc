// A gRPC client that is not ours: the generated stubs, in the process of the test.
#include <chrono>

#include <grpcpp/grpcpp.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "tests/e2e/fixture.h"
#include "tests/support/raw_call.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class GrpcTest : public FewHooksTest {
 protected:
  std::shared_ptr<grpc::Channel> Connect() {
    return grpc::CreateChannel("unix:" + place().socket(), grpc::InsecureChannelCredentials());
  }
};

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
}

TEST_F(GrpcTest, AStormReachesASubscriberAndOnlyWhatPassesItsFilter) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const std::string vm = Name("storm");
  const auto alerts = v1::Alerts::NewStub(Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  v1::SubscribeRequest request;
  request.set_follow(true);
  request.mutable_filter()->add_vm(vm);
  request.mutable_filter()->add_spec("pio-*");
  const auto stream = alerts->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_TRUE(message.has_heartbeat());

  ASSERT_OK_AND_ASSIGN(Guest guest,
                       StartGuest(vm, "--behaviour pio --port 0x3f8 --count 20000 --then calm"));
  ASSERT_OK(guest.Begin());
  std::vector<v1::Alert> got;
  while (got.empty() || got.back().state() != v1::Alert::CLEARED) {
    ASSERT_TRUE(stream->Read(&message));
    if (message.has_alert()) got.push_back(message.alert());
  }
  EXPECT_EQ(got.front().state(), v1::Alert::OPEN);
  for (const v1::Alert& alert : got) {
    EXPECT_EQ(alert.vm().name(), vm);
    EXPECT_EQ(alert.spec_id(), "pio-storm");
    EXPECT_EQ(alert.feature(), "pio.rate");
    EXPECT_EQ(alert.point(), v1::K2);
  }
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcTest, AFilterThatCannotBeReadIsRefusedWithAReason) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const auto alerts = v1::Alerts::NewStub(Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  v1::SubscribeRequest request;
  request.mutable_filter()->add_vm("");
  const auto stream = alerts->Subscribe(&context, request);
  v1::SubscribeResponse message;
  EXPECT_FALSE(stream->Read(&message));
  const grpc::Status refused = stream->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(refused.error_message().empty());
}

TEST_F(GrpcTest, StreamsEndAsUnavailableWhenTheDaemonStops) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const auto alerts = v1::Alerts::NewStub(Connect());
  grpc::ClientContext context;
  SetDeadline(context);
  v1::SubscribeRequest request;
  request.set_follow(true);
  const auto stream = alerts->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));
  StopDaemon();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTest, HealthIsServingAndReflectionListsTheServices) {
  StartDaemon({"storms.textproto"});
  if (HasFatalFailure()) return;
  const auto channel = Connect();
  // grpc.health.v1: HealthCheckRequest.service = 1; HealthCheckResponse.status = 1, SERVING = 1.
  // The socket appears a moment before the sensor says that it serves.
  const auto serving = [&](const std::string& service) {
    return WaitUntil([&] {
      return CallRaw(channel, "/grpc.health.v1.Health/Check", service).value_or("") == "\x08\x01";
    });
  };
  EXPECT_TRUE(serving(""));
  EXPECT_TRUE(serving("\x0a\x13kvmsentry.v1.Alerts"));
  EXPECT_TRUE(serving("\x0a\x13kvmsentry.v1.Sensor"));
  // ServerReflectionRequest.list_services = 7.
  ASSERT_OK_AND_ASSIGN(
      const std::string services,
      CallRaw(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              "\x3a\x01*"));
  EXPECT_THAT(services, HasSubstr("kvmsentry.v1.Alerts"));
  EXPECT_THAT(services, HasSubstr("kvmsentry.v1.Sensor"));
  EXPECT_THAT(services, HasSubstr("grpc.health.v1.Health"));
}

}  // namespace
}  // namespace kvmsentry
