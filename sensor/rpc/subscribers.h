// All streams of alerts that are open, and the one thread that keeps them going.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <grpcpp/support/server_callback.h>

#include "absl/time/time.h"

#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/rpc/feed.h"
#include "sensor/rpc/request.h"

namespace kvmsentry {

// A stream has at most one message in flight: when that is written, it takes the next from its
// feed, and when there is none it rests until the pump wakes it, because the hub has more or a
// heartbeat is due. So a subscriber costs no thread, and one that does not read costs nothing.
// Thread safe. Must outlive the gRPC server.
class Subscribers {
 public:
  using Reactor = grpc::ServerWriteReactor<v1::SubscribeResponse>;

  Subscribers(const Hub& hub, const Pulse& pulse, const Clock& clock, uint32_t max,
              absl::Duration heartbeat);
  ~Subscribers();

  // The reactor of a new stream; of one that is refused, if there are too many or it is stopping.
  Reactor* Admit(Subscription subscription);

  // Ends all streams, and those that come. A stream with a message in flight ends after that.
  // Returns when all have ended, or at DEADLINE.
  void Stop(std::chrono::system_clock::time_point deadline);

  uint32_t count() const;

 private:
  class Stream;

  void Pump(const std::stop_token& stop);
  std::vector<std::shared_ptr<Stream>> All() const;
  void Remove(Stream* stream);

  const Hub& hub_;
  const Pulse& pulse_;
  const Clock& clock_;
  const uint32_t max_;
  const absl::Duration heartbeat_;
  mutable std::mutex mutex_;
  std::condition_variable removed_;
  bool stopping_ = false;                                         // guarded by mutex_
  std::unordered_map<Stream*, std::shared_ptr<Stream>> streams_;  // guarded by mutex_
  std::jthread pump_;
};

// A reactor that does nothing but end the call.
Subscribers::Reactor* Refuse(const absl::Status& status);

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace kvmsentry
