#include "sensor/rpc/access/entrance.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "sensor/rpc/access/call_count.h"
#include "sensor/rpc/access/listen.h"
#include "sensor/rpc/access/tls_door.h"

namespace kvmsentry {
namespace {

constexpr int kLookEveryMs = 1000;
// Then the other socket has its turn.
constexpr int kAcceptedInARow = 64;
// Without a descriptor left, the socket stays readable: not to spin meanwhile.
constexpr int kRestMs = 100;

int InMs(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

void SetLimits(const AccessOptions& options, grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, InMs(options.handshake_within));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, InMs(options.idle_for));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, InMs(options.ping_after));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, InMs(options.answer_within));
  // A connection without a call ends by being idle, whether its peer lives or not.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
}

}  // namespace

Entrance::Entrance(const AccessOptions& options, AccessBoard& board, const Clock& clock)
    : options_(options),
      board_(board),
      clock_(clock),
      table_(options.max_connections),
      gate_(std::make_shared<Gate>(Gate::Limits{.calls_per_second = options.max_requests,
                                                .open_calls = options.max_open_calls},
                                   board, clock)) {}

absl::StatusOr<std::unique_ptr<Entrance>> Entrance::Open(const std::string& unix_path,
                                                         const AccessOptions& options,
                                                         AccessBoard& board, const Clock& clock,
                                                         grpc::ServerBuilder& builder) {
  std::unique_ptr<Entrance> entrance(new Entrance(options, board, clock));
  KVMSENTRY_ASSIGN_OR_RETURN(entrance->unix_listener_, ListenUnix(unix_path));
  entrance->unix_doors_ = std::make_unique<UnixDoors>(entrance->gate_, builder);
  if (options.tcp) {
    KVMSENTRY_ASSIGN_OR_RETURN(entrance->tls_files_,
                               TlsFiles::Load(options.tcp->files, clock.WallNow()));
    KVMSENTRY_ASSIGN_OR_RETURN(entrance->tcp_listener_, ListenTcp(options.tcp->endpoint));
    entrance->tls_door_ =
        MakeTlsDoor(*entrance->tls_files_, options.tcp->roles, entrance->gate_, builder);
  }
  entrance->stop_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!entrance->stop_) return absl::ErrnoToStatus(errno, "eventfd");
  SetLimits(options, builder);
  CountOpenCalls(entrance->gate_, builder);
  board.set_connections(0, options.max_connections);
  return entrance;
}

Entrance::~Entrance() { Stop(); }

void Entrance::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Entrance::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  eventfd_write(stop_.get(), 1);
  thread_.join();
  // Who still waits to be accepted hears of it at once.
  unix_listener_.reset();
  tcp_listener_.reset();
}

int Entrance::tcp_port() const { return tcp_listener_ ? PortOf(tcp_listener_.get()) : 0; }

void Entrance::Run(const std::stop_token& stop) {
  KernelTime reload_at = clock_.Now();
  while (!stop.stop_requested()) {
    std::array<pollfd, 3> wait = {{{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = unix_listener_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = tcp_listener_.get(), .events = POLLIN, .revents = 0}}};
    poll(wait.data(), wait.size(), kLookEveryMs);
    if (stop.stop_requested()) return;
    if (tls_files_ != nullptr && clock_.Now() >= reload_at) {
      tls_files_->Refresh(clock_.WallNow());
      reload_at = clock_.Now() + absl::ToInt64Nanoseconds(options_.tcp->reload_every);
    }
    if ((wait[1].revents & POLLIN) != 0) AcceptAll(unix_listener_, Wire::kUnix);
    if ((wait[2].revents & POLLIN) != 0) AcceptAll(tcp_listener_, Wire::kTcp);
    table_.Sweep();
    board_.set_connections(table_.size(), table_.max());
  }
}

void Entrance::AcceptAll(const Fd& listener, Wire wire) {
  for (int i = 0; i < kAcceptedInARow; ++i) {
    Fd connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) {
      wire == Wire::kUnix ? ComeByUnix(std::move(connection)) : ComeByTcp(std::move(connection));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) {
      board_.Refuse(Refusal::kConnections, absl::StrCat("connections: accept: ", strerror(errno)),
                    clock_.Now());
      poll(nullptr, 0, kRestMs);
    }
    return;
  }
}

void Entrance::ComeByUnix(Fd connection) {
  const absl::StatusOr<UnixPeer> peer = ReadUnixPeer(connection.get());
  if (!peer.ok()) return;
  const Caller caller = CallerOf(*peer, options_.admins);
  const Connector connector{Wire::kUnix, caller.name, caller.role == Role::kAdmin};
  if (Refused(connector)) return;
  const int door =
      unix_doors_->Find(caller, [this](int number) { return table_.DoorInUse(number); });
  if (door < 0) {
    board_.Refuse(Refusal::kConnections,
                  absl::StrCat("a connection of ", caller.name, ": ",
                               caller.role == Role::kAdmin ? kAdminDoors : kViewerDoors,
                               " other users are connected, the most at once"),
                  clock_.Now());
    return;
  }
  table_.Add(connection.get(), connector, door);
  unix_doors_->HandOver(door, std::move(connection));
}

void Entrance::ComeByTcp(Fd connection) {
  const Connector connector{Wire::kTcp, absl::StrCat("address ", AddressOfPeer(connection.get())),
                            false};
  if (Refused(connector)) return;
  table_.Add(connection.get(), connector, /*door=*/-1);
  tls_door_->HandOver(std::move(connection));
}

bool Entrance::Refused(const Connector& connector) {
  const std::optional<Excess> excess = table_.Check(connector);
  if (!excess) return false;
  board_.Refuse(excess->refusal,
                absl::StrCat("a connection of ", connector.name, ": ", excess->why), clock_.Now());
  return true;
}

}  // namespace kvmsentry
