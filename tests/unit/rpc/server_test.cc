// The server's socket, and what a client asks it for.
#include "sensor/rpc/server.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kvmsentry/v1/silence.grpc.pb.h"
#include "tests/support/raw_call.h"
#include "tests/unit/rpc/server_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  JournaledAlert open = AlertOf("web-1");
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
