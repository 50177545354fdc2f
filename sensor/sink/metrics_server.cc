#include "sensor/sink/metrics_server.h"

#include <cerrno>
#include <cstring>
#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

#include <httplib.h>

namespace kvmsentry {
namespace {

constexpr size_t kThreads = 2;
constexpr size_t kMaxRequestBytes = 4096;
constexpr time_t kTimeoutSeconds = 5;
constexpr std::ptrdiff_t kMostConnections = 8;

// Who connects and says nothing holds a thread for a while. Others wait to be accepted, so that
// they take no descriptor of the daemon's, which it needs to see; at the end few are left to be
// served.
class BoundedPool final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> serve) override {
    room_.acquire();
    pool_.enqueue([this, serve = std::move(serve)] {
      serve();
      room_.release();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::counting_semaphore<kMostConnections> room_{kMostConnections};
  httplib::ThreadPool pool_{kThreads};
};

}  // namespace

struct MetricsServer::State {
  httplib::Server server;
  int port = 0;
  std::jthread thread;
};

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const Endpoint& endpoint, std::function<std::string()> page) {
  auto state = std::make_unique<State>();
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new BoundedPool; };
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(kTimeoutSeconds);
  // Not SO_REUSEPORT, which is the library's choice: a port that is in use is an error.
  server.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.set_payload_max_length(kMaxRequestBytes);
  server.Get("/metrics",
             [page = std::move(page)](const httplib::Request&, httplib::Response& response) {
               response.set_content(page(), "text/plain; version=0.0.4; charset=utf-8");
             });
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(
        "<html><head><title>kvmsentryd</title></head><body>kvmsentryd: "
        "<a href=\"/metrics\">metrics</a></body></html>\n",
        "text/html; charset=utf-8");
  });
  state->port = endpoint.port;
  errno = 0;  // the library leaves it as the last call did
  const bool bound = endpoint.port == 0
                         ? (state->port = server.bind_to_any_port(endpoint.host.c_str())) > 0
                         : server.bind_to_port(endpoint.host.c_str(), endpoint.port);
  if (!bound) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", endpoint.host, ":", endpoint.port,
                     " for metrics: ", errno == 0 ? "no such address" : std::strerror(errno),
                     "; choose another --metrics-listen, or under systemd let the unit use "
                     "TCP (kvmsentry.service.d/metrics.conf)"));
  }
  state->thread = std::jthread([&server] { server.listen_after_bind(); });
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(state)));
}

MetricsServer::MetricsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

// A server that has not begun yet would not stop.
MetricsServer::~MetricsServer() {
  while (!state_->server.is_running()) std::this_thread::yield();
  state_->server.stop();
}

int MetricsServer::port() const { return state_->port; }

}  // namespace kvmsentry
