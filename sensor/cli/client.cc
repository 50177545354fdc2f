#include "sensor/cli/client.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "sensor/rpc/connect.h"

namespace kvmsentry {
namespace {

constexpr int kMaxAnswerBytes = 64 << 20;
constexpr std::chrono::seconds kAnswerWithin(10);

absl::Status CannotReach(const std::string& socket, int error) {
  const std::string what =
      absl::StrCat("cannot reach kvmsentryd at ", socket, ": ", strerror(error));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, "; only root and the group of the socket may"));
  }
  return absl::UnavailableError(absl::StrCat(what, "; is it running?"));
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& socket) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  return absl::Status(code, absl::StrCat("kvmsentryd at ", socket, ": ", status.error_message()));
}

}  // namespace

struct Client::State {
  std::string socket;
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
    if (!status.ok()) return FromGrpc(status, socket);
    return response;
  }
};

// By a descriptor of its own, so that a failure tells its errno, and gRPC neither reads the path as
// a URI nor connects again behind our back.
absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const std::string& socket) {
  Fd fd = ConnectUnix(socket);
  if (!fd) return CannotReach(socket, errno);
  // What every VM of a large host was given is more than gRPC takes by itself, 4 MiB.
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  const auto channel =
      grpc::CreateCustomInsecureChannelFromFd("kvmsentryd", fd.release(), arguments);
  auto state = std::make_unique<State>();
  state->socket = socket;
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
  return FromGrpc(reader->Finish(), state_->socket);
}

void Client::Cancel() { state_->subscribe_context.TryCancel(); }

}  // namespace kvmsentry
