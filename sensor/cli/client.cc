#include "sensor/cli/client.h"

#include <chrono>
#include <utility>

#include <grpcpp/client_context.h>

#include "absl/strings/match.h"
#include "grpc/health/v1/health.grpc.pb.h"

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "kvmsentry/v1/silence.grpc.pb.h"
#include "kvmsentry/v1/spec_admin.grpc.pb.h"
#include "sensor/cli/channel.h"

namespace kvmsentry {
namespace {

namespace health = grpc::health::v1;

constexpr std::chrono::seconds kAnswerWithin(10);
constexpr char kEndedHint[] =
    "; it stops, or has as many connections as its --max-connections allows: see its log";

}  // namespace

struct Client::State {
  Target target;
  std::unique_ptr<v1::Alerts::Stub> alerts;
  std::unique_ptr<v1::Sensor::Stub> sensor;
  std::unique_ptr<v1::SpecAdmin::Stub> spec_admin;
  std::unique_ptr<v1::SilenceAdmin::Stub> silences;
  std::unique_ptr<health::Health::Stub> health;
  grpc::ClientContext subscribe_context;

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (status.ok()) return response;
    // gRPC shows no reason for which a connection was ended before it began.
    const bool ended =
        target.address.empty() && status.error_code() == grpc::StatusCode::UNAVAILABLE;
    return FromGrpc(status, ended ? kEndedHint : "");
  }

  absl::Status FromGrpc(const grpc::Status& status, absl::string_view hint = "") const {
    if (status.ok()) return absl::OkStatus();
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    // Of what was asked, not of the daemon.
    if (code == absl::StatusCode::kNotFound || code == absl::StatusCode::kInvalidArgument) {
      return absl::Status(code, status.error_message());
    }
    return absl::Status(code, absl::StrCat("kvmsentryd at ",
                                           target.address.empty() ? target.socket : target.address,
                                           ": ", status.error_message(), hint, TlsHint(status)));
  }

  std::string TlsHint(const grpc::Status& status) const {
    if (!absl::StartsWith(status.error_message(), "failed to connect")) return "";
    return absl::StrCat("; does it serve there, is its certificate of ", target.ca,
                        " and for this name, and does it trust that in ", target.cert, "?");
  }
};

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Target& target) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::shared_ptr<grpc::Channel> channel,
      target.address.empty() ? OpenUnixChannel(target.socket) : OpenTlsChannel(target));
  auto state = std::make_unique<State>();
  state->target = target;
  state->alerts = v1::Alerts::NewStub(channel);
  state->sensor = v1::Sensor::NewStub(channel);
  state->spec_admin = v1::SpecAdmin::NewStub(channel);
  state->silences = v1::SilenceAdmin::NewStub(channel);
  state->health = health::Health::NewStub(channel);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() = default;

absl::StatusOr<v1::GetStatusResponse> Client::GetStatus() {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::GetStatus, v1::GetStatusRequest());
}

absl::StatusOr<bool> Client::IsServing() {
  KVMSENTRY_ASSIGN_OR_RETURN(
      const health::HealthCheckResponse response,
      state_->Call(*state_->health, &health::Health::Stub::Check, health::HealthCheckRequest()));
  return response.status() == health::HealthCheckResponse::SERVING;
}

absl::StatusOr<v1::ListVmsResponse> Client::ListVms(const v1::ListVmsRequest& request) {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::ListVms, request);
}

absl::StatusOr<v1::ListSpecsResponse> Client::ListSpecs(const v1::ListSpecsRequest& request) {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::ListSpecs, request);
}

absl::StatusOr<v1::ApplySpecsResponse> Client::ApplySpecs(const v1::ApplySpecsRequest& request) {
  return state_->Call(*state_->spec_admin, &v1::SpecAdmin::Stub::Apply, request);
}

absl::StatusOr<v1::ReloadSpecsResponse> Client::ReloadSpecs() {
  return state_->Call(*state_->spec_admin, &v1::SpecAdmin::Stub::Reload, v1::ReloadSpecsRequest());
}

absl::StatusOr<v1::ListMembersResponse> Client::ListMembers(const v1::ListMembersRequest& request) {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::ListMembers, request);
}

absl::StatusOr<v1::AddSilenceResponse> Client::AddSilence(const v1::AddSilenceRequest& request) {
  return state_->Call(*state_->silences, &v1::SilenceAdmin::Stub::Add, request);
}

absl::StatusOr<v1::EndSilenceResponse> Client::EndSilence(const v1::EndSilenceRequest& request) {
  return state_->Call(*state_->silences, &v1::SilenceAdmin::Stub::End, request);
}

absl::StatusOr<v1::ListSilencesResponse> Client::ListSilences() {
  return state_->Call(*state_->alerts, &v1::Alerts::Stub::ListSilences, v1::ListSilencesRequest());
}

absl::StatusOr<v1::ListOpenAlertsResponse> Client::ListOpen(
    const v1::ListOpenAlertsRequest& request) {
  return state_->Call(*state_->alerts, &v1::Alerts::Stub::ListOpen, request);
}

absl::StatusOr<v1::ListAlertsResponse> Client::List(const v1::ListAlertsRequest& request) {
  return state_->Call(*state_->alerts, &v1::Alerts::Stub::List, request);
}

absl::Status Client::Subscribe(
    const v1::SubscribeRequest& request,
    const std::function<bool(const v1::SubscribeResponse&)>& on_message) {
  const auto reader = state_->alerts->Subscribe(&state_->subscribe_context, request);
  v1::SubscribeResponse message;
  while (reader->Read(&message)) {
    if (!on_message(message)) Cancel();
  }
  return state_->FromGrpc(reader->Finish());
}

void Client::Cancel() { state_->subscribe_context.TryCancel(); }

}  // namespace kvmsentry
