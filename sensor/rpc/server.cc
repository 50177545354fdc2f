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
#include "kvmsentry/v1/silence.grpc.pb.h"
#include "kvmsentry/v1/spec_admin.grpc.pb.h"
#include "sensor/base/natural.h"
#include "sensor/rpc/access/entrance.h"
#include "sensor/rpc/access/grpc_log.h"
#include "sensor/rpc/access_proto.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/convert_given.h"
#include "sensor/rpc/history.h"
#include "sensor/rpc/list_members.h"
#include "sensor/rpc/open_summary.h"
#include "sensor/rpc/request.h"
#include "sensor/rpc/silence_service.h"
#include "sensor/rpc/spec_admin.h"
#include "sensor/rpc/subscribers.h"

namespace kvmsentry {
namespace {

// The largest request is a site's specs; those within the bounds of request.h are some 17 KiB. gRPC
// refuses a larger one with RESOURCE_EXHAUSTED.
constexpr int kMaxRequestBytes = kMaxSiteBytes + (64 << 10);
// Of all clients together, for what they sent and did not read yet; above it gRPC ends the
// greediest.
constexpr size_t kMaxBufferBytes = 128 << 20;
// Only reflection takes a thread a call; everything else is by callbacks.
constexpr int kMaxThreads = 16;
constexpr int kMaxCallsPerConnection = 128;

grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

SilencedByNow SilencedByOf(const SilenceBook& silences) {
  return [&silences](const AlertEvent& event) { return silences.SilencedBy(event); };
}

class AlertsService final : public v1::Alerts::CallbackService {
 public:
  AlertsService(const Hub& hub, const SilenceBook& silences, Subscribers& subscribers)
      : hub_(hub), silences_(silences), subscribers_(subscribers) {}

  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext*, const v1::SubscribeRequest* request) override {
    absl::StatusOr<Subscription> subscription = ReadRequest(*request);
    if (!subscription.ok()) return Refuse(subscription.status());
    return subscribers_.Admit(*std::move(subscription));
  }

  grpc::ServerUnaryReactor* ListOpen(grpc::CallbackServerContext* context,
                                     const v1::ListOpenAlertsRequest* request,
                                     v1::ListOpenAlertsResponse* response) override {
    return End(context,
               kvmsentry::ListOpen(hub_.journal(), SilencedByOf(silences_), *request, *response));
  }

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListAlertsRequest* request,
                                 v1::ListAlertsResponse* response) override {
    return End(context, ListAlerts(hub_.journal(), *request, *response));
  }

  grpc::ServerUnaryReactor* ListSilences(grpc::CallbackServerContext* context,
                                         const v1::ListSilencesRequest*,
                                         v1::ListSilencesResponse* response) override {
    kvmsentry::ListSilences(silences_, *response);
    return End(context, absl::OkStatus());
  }

 private:
  const Hub& hub_;
  const SilenceBook& silences_;
  Subscribers& subscribers_;
};

class SensorService final : public v1::Sensor::CallbackService {
 public:
  SensorService(const SensorView& view, const Hub& hub, const SilenceBook& silences,
                const Pulse& pulse, const Subscribers& subscribers, uint32_t max_subscribers,
                const AccessBoard& board)
      : view_(view),
        hub_(hub),
        silences_(silences),
        pulse_(pulse),
        subscribers_(subscribers),
        max_subscribers_(max_subscribers),
        board_(board) {}

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
    Open().FillStatus(*response);
    response->set_silences(static_cast<uint32_t>(silences_.Active().size()));
    response->mutable_limits()->set_max_subscribers(max_subscribers_);
    *response->mutable_access() = ToProto(board_.state());
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
      return a.vm.name == b.vm.name ? a.vm.id < b.vm.id : NaturalLess(a.vm.name, b.vm.name);
    });
    const OpenSummary open = Open();
    for (const VmView& vm : vms) {
      if (!MatchesVm(*globs, vm.vm)) continue;
      v1::VmStatus& status = *response->add_vms();
      status = ToProto(vm, request->vcpu_exits());
      if (vm.watched) open.FillVm(vm.vm.id.serial, status);
      if (request->given()) AddGiven(vm, &status);
    }
    return End(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ListSpecs(grpc::CallbackServerContext* context,
                                      const v1::ListSpecsRequest* request,
                                      v1::ListSpecsResponse* response) override {
    const absl::StatusOr<std::vector<std::string>> globs = ReadRequest(*request);
    if (!globs.ok()) return End(context, globs.status());
    std::vector<VmView> vms;
    if (!globs->empty()) vms = view_.Vms(/*with_exits=*/false);
    std::erase_if(vms, [&](const VmView& vm) { return !MatchesVm(*globs, vm.vm); });
    std::ranges::sort(vms, {}, [](const VmView& vm) { return std::tie(vm.vm.name, vm.vm.id); });
    for (const SpecView& spec : view_.Specs()) {
      const auto& ids = request->id();
      if (!ids.empty() && std::ranges::find(ids, spec.id) == ids.end()) continue;
      v1::SpecInfo& info = *response->add_specs() = ToProto(spec);
      if (!ids.empty()) AddWholeTexts(spec, &info);  // of a long library they would not fit
      for (const VmView& vm : vms) *info.add_selections() = SelectionOf(spec, vm.vm);
    }
    for (const DisabledSpec& disabled : view_.Status().library.disabled) {
      *response->add_disabled() = ToProto(disabled);
    }
    return End(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ListMembers(grpc::CallbackServerContext* context,
                                        const v1::ListMembersRequest* request,
                                        v1::ListMembersResponse* response) override {
    return End(context, kvmsentry::ListMembers(view_, *request, *response));
  }

 private:
  OpenSummary Open() const { return OpenSummary(hub_.journal().Open(), SilencedByOf(silences_)); }

  const SensorView& view_;
  const Hub& hub_;
  const SilenceBook& silences_;
  const Pulse& pulse_;
  const Subscribers& subscribers_;
  const uint32_t max_subscribers_;
  const AccessBoard& board_;
};

}  // namespace

struct Server::State {
  State(const ServerOptions& server_options, std::unique_ptr<SocketPlace> socket_place,
        const Hub& hub, const SensorView& view, const Pulse& pulse, const Clock& clock,
        SpecControl* specs)
      : options(server_options),
        place(std::move(socket_place)),
        own_silences(clock),
        board(options.access.board != nullptr ? *options.access.board : own_board),
        subscribers(hub, pulse, clock, options.max_subscribers, options.heartbeat),
        alerts(hub, silences(), subscribers),
        sensor(view, hub, silences(), pulse, subscribers, options.max_subscribers, board),
        silence_admin(MakeSilenceAdmin(silences())),
        spec_admin(specs == nullptr ? nullptr : MakeSpecAdmin(*specs)) {}

  SilenceBook& silences() { return options.silences == nullptr ? own_silences : *options.silences; }

  const ServerOptions options;
  std::unique_ptr<SocketPlace> place;
  SilenceBook own_silences;
  AccessBoard own_board;
  AccessBoard& board;
  Subscribers subscribers;
  AlertsService alerts;
  SensorService sensor;
  std::unique_ptr<grpc::Service> silence_admin;
  const std::unique_ptr<grpc::Service> spec_admin;  // nullptr: there is none
  std::mutex stop_mutex;
  bool stopped = false;                  // guarded by stop_mutex
  std::unique_ptr<Entrance> entrance;    // reads what the server's doors use
  std::unique_ptr<grpc::Server> server;  // the first to go: it uses all of the above
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(std::unique_ptr<SocketPlace> place,
                                                      const ServerOptions& options, const Hub& hub,
                                                      const SensorView& view, const Pulse& pulse,
                                                      const Clock& clock, SpecControl* specs) {
  auto state = std::make_unique<State>(options, std::move(place), hub, view, pulse, clock, specs);

  LogGrpcSparingly();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  KVMSENTRY_ASSIGN_OR_RETURN(
      state->entrance,
      Entrance::Open(state->place->bind_path(), options.access, state->board, clock, builder));
  builder.RegisterService(&state->alerts);
  builder.RegisterService(&state->sensor);
  if (state->spec_admin != nullptr) builder.RegisterService(state->spec_admin.get());
  builder.RegisterService(state->silence_admin.get());
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, Gate::kMaxHeaderBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetResourceQuota(
      grpc::ResourceQuota("kvmsentry").SetMaxThreads(kMaxThreads).Resize(kMaxBufferBytes));
  state->server = builder.BuildAndStart();
  if (state->server == nullptr) {
    return absl::InternalError("gRPC cannot build its server; its log says why");
  }
  state->entrance->Start();
  std::unique_ptr<Server> server(new Server(std::move(state)));
  server->SetServing(false);
  KVMSENTRY_RETURN_IF_ERROR(server->state_->place->Publish());
  return server;
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Stop(); }

int Server::tcp_port() const { return state_->entrance->tcp_port(); }

void Server::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* const health = state_->server->GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(v1::Alerts::service_full_name(), serving);
  health->SetServingStatus(v1::Sensor::service_full_name(), serving);
  if (state_->spec_admin != nullptr) {
    health->SetServingStatus(v1::SpecAdmin::service_full_name(), serving);
  }
  health->SetServingStatus(v1::SilenceAdmin::service_full_name(), serving);
}

void Server::Stop() {
  std::lock_guard lock(state_->stop_mutex);
  if (std::exchange(state_->stopped, true)) return;
  const auto deadline =
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(state_->options.stop_within);
  state_->entrance->Stop();
  // First the streams: of one that still has its status to send, gRPC (1.51, chttp2_transport.cc)
  // closes the connection as soon as that is written, and a client that writes before it reads then
  // sees no more than a broken pipe.
  state_->subscribers.Stop(deadline);
  state_->server->Shutdown(deadline);
  state_->place.reset();
}

}  // namespace kvmsentry
