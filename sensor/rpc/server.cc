#include "sensor/rpc/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "kvmsentry/v1/sensor.grpc.pb.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/convert_given.h"
#include "sensor/rpc/history.h"
#include "sensor/rpc/request.h"
#include "sensor/rpc/subscribers.h"

namespace kvmsentry {
namespace {

// The largest request that is within the bounds of request.h is some 17 KiB.
constexpr int kMaxRequestBytes = 64 << 10;
// Only reflection takes a thread a call; everything else is by callbacks.
constexpr int kMaxThreads = 16;
constexpr int kMaxCallsPerConnection = 128;

grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

class AlertsService final : public v1::Alerts::CallbackService {
 public:
  AlertsService(const Hub& hub, Subscribers& subscribers) : hub_(hub), subscribers_(subscribers) {}

  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext*, const v1::SubscribeRequest* request) override {
    absl::StatusOr<Subscription> subscription = ReadRequest(*request);
    if (!subscription.ok()) return Refuse(subscription.status());
    return subscribers_.Admit(*std::move(subscription));
  }

  grpc::ServerUnaryReactor* ListOpen(grpc::CallbackServerContext* context,
                                     const v1::ListOpenAlertsRequest* request,
                                     v1::ListOpenAlertsResponse* response) override {
    return End(context, kvmsentry::ListOpen(hub_.journal(), *request, *response));
  }

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListAlertsRequest* request,
                                 v1::ListAlertsResponse* response) override {
    return End(context, ListAlerts(hub_.journal(), *request, *response));
  }

 private:
  const Hub& hub_;
  Subscribers& subscribers_;
};

class SensorService final : public v1::Sensor::CallbackService {
 public:
  SensorService(const SensorView& view, const Hub& hub, const Pulse& pulse,
                const Subscribers& subscribers, uint32_t max_subscribers)
      : view_(view),
        hub_(hub),
        pulse_(pulse),
        subscribers_(subscribers),
        max_subscribers_(max_subscribers) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::GetStatusResponse* response) override {
    *response = ToProto(view_.Status());
    *response->mutable_last_alert() = ToProto(hub_.journal().bounds().last());
    *response->mutable_journal() = ToProto(hub_.journal().state());
    *response->mutable_last_tick() = ToProto(pulse_.Get().tick_wall);
    response->set_subscribers(subscribers_.count());
    for (const HostPressure& pressure : ReadHostPressure()) {
      *response->add_host_pressure() = ToProto(pressure);
    }
    response->mutable_limits()->set_max_subscribers(max_subscribers_);
    response->mutable_limits()->set_alerts_kept(static_cast<uint32_t>(hub_.journal().capacity()));
    return End(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ListVms(grpc::CallbackServerContext* context,
                                    const v1::ListVmsRequest* request,
                                    v1::ListVmsResponse* response) override {
    const absl::StatusOr<std::vector<std::string>> globs = ReadRequest(*request);
    if (!globs.ok()) return End(context, globs.status());
    std::vector<VmView> vms = view_.Vms(/*with_exits=*/true);
    std::sort(vms.begin(), vms.end(), [](const VmView& a, const VmView& b) {
      return std::tie(a.vm.name, a.vm.id) < std::tie(b.vm.name, b.vm.id);
    });
    for (const VmView& vm : vms) {
      if (!MatchesVm(*globs, vm.vm)) continue;
      v1::VmStatus& status = *response->add_vms();
      status = ToProto(vm, request->vcpu_exits());
      if (request->given()) AddGiven(vm, &status);
    }
    return End(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ListSpecs(grpc::CallbackServerContext* context,
                                      const v1::ListSpecsRequest*,
                                      v1::ListSpecsResponse* response) override {
    for (const SpecView& spec : view_.Specs()) *response->add_specs() = ToProto(spec);
    return End(context, absl::OkStatus());
  }

 private:
  const SensorView& view_;
  const Hub& hub_;
  const Pulse& pulse_;
  const Subscribers& subscribers_;
  const uint32_t max_subscribers_;
};

}  // namespace

struct Server::State {
  State(const ServerOptions& server_options, std::unique_ptr<SocketPlace> socket_place,
        const Hub& hub, const SensorView& view, const Pulse& pulse, const Clock& clock)
      : options(server_options),
        place(std::move(socket_place)),
        subscribers(hub, pulse, clock, options.max_subscribers, options.heartbeat),
        alerts(hub, subscribers),
        sensor(view, hub, pulse, subscribers, options.max_subscribers) {}

  const ServerOptions options;
  std::unique_ptr<SocketPlace> place;
  Subscribers subscribers;
  AlertsService alerts;
  SensorService sensor;
  std::mutex stop_mutex;
  bool stopped = false;                  // guarded by stop_mutex
  std::unique_ptr<grpc::Server> server;  // the first to go: it uses all of the above
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(std::unique_ptr<SocketPlace> place,
                                                      const ServerOptions& options, const Hub& hub,
                                                      const SensorView& view, const Pulse& pulse,
                                                      const Clock& clock) {
  auto state = std::make_unique<State>(options, std::move(place), hub, view, pulse, clock);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("unix:", state->place->bind_path()),
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&state->alerts);
  builder.RegisterService(&state->sensor);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetResourceQuota(grpc::ResourceQuota("kvmsentry").SetMaxThreads(kMaxThreads));
  state->server = builder.BuildAndStart();
  if (state->server == nullptr) {
    return absl::InternalError(absl::StrCat("gRPC cannot listen on ", state->place->bind_path()));
  }
  std::unique_ptr<Server> server(new Server(std::move(state)));
  server->SetServing(false);
  KVMSENTRY_RETURN_IF_ERROR(server->state_->place->Publish());
  return server;
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Stop(); }

void Server::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* const health = state_->server->GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(v1::Alerts::service_full_name(), serving);
  health->SetServingStatus(v1::Sensor::service_full_name(), serving);
}

void Server::Stop() {
  std::lock_guard lock(state_->stop_mutex);
  if (std::exchange(state_->stopped, true)) return;
  const auto deadline =
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(state_->options.stop_within);
  // First the streams: of one that still has its status to send, gRPC (1.51, chttp2_transport.cc)
  // closes the connection as soon as that is written, and a client that writes before it reads then
  // sees no more than a broken pipe.
  state_->subscribers.Stop(deadline);
  state_->server->Shutdown(deadline);
  state_->place.reset();
}

}  // namespace kvmsentry
