#include "bench/fanout/clients.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "kvmsentry/v1/alerts.grpc.pb.h"
#include "sensor/rpc/connect.h"

namespace kvmsentry {
namespace {

// The server takes no more calls of one connection than 128.
constexpr int kStreamsPerConnection = 100;

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  int connected = 0;
  int finished = 0;
};

class Subscriber final : public grpc::ClientReadReactor<v1::SubscribeResponse> {
 public:
  Subscriber(v1::Alerts::Stub& stub, Shared& shared, uint64_t last, bool stalls)
      : shared_(shared), last_(last), stalls_(stalls) {
    request_.set_follow(true);
    stub.async()->Subscribe(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (first_) Tell(shared_.connected);
    first_ = false;
    if (message_.has_alert()) {
      const uint64_t sequence = message_.alert().position().sequence();
      missing += sequence > seen_ + 1 ? sequence - seen_ - 1 : 0;
      doubles += sequence <= seen_ ? 1U : 0U;
      seen_ = std::max(seen_, sequence);
      ++alerts;
    }
    gaps += message_.has_gap() ? 1U : 0U;
    if (stalls_) return;
    if (seen_ == last_) {
      Tell(shared_.finished);
    } else {
      StartRead(&message_);
    }
  }
  void OnDone(const grpc::Status&) override {
    const std::lock_guard lock(shared_.mutex);
    done = true;
    shared_.changed.notify_all();
  }
  void Cancel() { context_.TryCancel(); }

  uint64_t alerts = 0, missing = 0, doubles = 0, gaps = 0;
  bool done = false;  // guarded by the shared mutex

 private:
  void Tell(int& count) {
    const std::lock_guard lock(shared_.mutex);
    ++count;
    shared_.changed.notify_all();
  }

  Shared& shared_;
  const uint64_t last_;
  const bool stalls_;
  grpc::ClientContext context_;
  v1::SubscribeRequest request_;
  v1::SubscribeResponse message_;
  uint64_t seen_ = 0;
  bool first_ = true;
};

}  // namespace

ClientsReport RunClients(const std::string& socket, int subscribers, int stalled, uint64_t last,
                         int ready_fd) {
  Shared shared;
  std::vector<std::unique_ptr<v1::Alerts::Stub>> stubs;
  std::vector<std::unique_ptr<Subscriber>> all;
  for (int i = 0; i < subscribers + stalled; ++i) {
    // Those that stall have connections of their own.
    if (i % kStreamsPerConnection == 0 || i == subscribers) {
      stubs.push_back(v1::Alerts::NewStub(
          grpc::CreateInsecureChannelFromFd("bench", ConnectUnix(socket).release())));
    }
    all.push_back(std::make_unique<Subscriber>(*stubs.back(), shared, last, i >= subscribers));
  }
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [&] { return shared.connected == subscribers + stalled; });
  const auto begun = std::chrono::steady_clock::now();
  if (write(ready_fd, "r", 1) != 1) return {};
  shared.changed.wait(lock, [&] { return shared.finished == subscribers; });
  ClientsReport report;
  report.last_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  lock.unlock();
  for (const auto& subscriber : all) subscriber->Cancel();
  lock.lock();
  for (const auto& subscriber : all) {
    shared.changed.wait(lock, [&] { return subscriber->done; });
    report.alerts += subscriber->alerts;
    report.missing += subscriber->missing;
    report.doubles += subscriber->doubles;
    report.gaps += subscriber->gaps;
  }
  return report;
}

}  // namespace kvmsentry
