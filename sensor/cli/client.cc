#include "sensor/cli/client.h"

#include <chrono>
#include <utility>

#include <grpcpp/client_context.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "sensor/cli/channel.h"

namespace kvmsentry {
namespace {

constexpr std::chrono::seconds kAnswerWithin(10);

absl::Status FromGrpc(const grpc::Status& status, const std::string& where) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  return absl::Status(code, absl::StrCat("kvmsentryd at ", where, ": ", status.error_message()));
}

}  // namespace

struct Client::State {
  std::string where;  // it was reached, for errors
  std::unique_ptr<v1::Alerts::Stub> alerts;
  std::unique_ptr<v1::Sensor::Stub> sensor;
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
    if (!status.ok()) return FromGrpc(status, where);
    return response;
  }
};

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Target& target) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::shared_ptr<grpc::Channel> channel,
      target.address.empty() ? OpenUnixChannel(target.socket) : OpenTlsChannel(target));
  auto state = std::make_unique<State>();
  state->where = target.address.empty() ? target.socket : target.address;
  state->alerts = v1::Alerts::NewStub(channel);
  state->sensor = v1::Sensor::NewStub(channel);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}

Client::~Client() = default;

absl::StatusOr<v1::GetStatusResponse> Client::GetStatus() {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::GetStatus, v1::GetStatusRequest());
}

absl::StatusOr<v1::ListVmsResponse> Client::ListVms(const v1::ListVmsRequest& request) {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::ListVms, request);
}

absl::StatusOr<v1::ListSpecsResponse> Client::ListSpecs() {
  return state_->Call(*state_->sensor, &v1::Sensor::Stub::ListSpecs, v1::ListSpecsRequest());
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
  return FromGrpc(reader->Finish(), state_->where);
}

void Client::Cancel() { state_->subscribe_context.TryCancel(); }

}  // namespace kvmsentry
