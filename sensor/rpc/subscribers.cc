#include "sensor/rpc/subscribers.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr char kStopping[] = "sensor is stopping";

class Refusal final : public Subscribers::Reactor {
 public:
  explicit Refusal(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // Their codes are the same by definition.
  return grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()),
                      EscapeAgain(status.message()));
}

Subscribers::Reactor* Refuse(const absl::Status& status) { return new Refusal(status); }

// gRPC calls the reactions from its own threads, the pump from another; each takes the mutex. The
// reactions to what is started here never run on the starting thread's stack. Who sends an old
// alert may wait for the disk; the pump, which serves all streams, does not wait for him.
class Subscribers::Stream final : public Subscribers::Reactor {
 public:
  Stream(Subscribers& owner, Feed feed) : owner_(owner), feed_(std::move(feed)) {}

  // Has sent what there is to send, unless a message is in flight. Never waits: another thread that
  // is at it looks again before it leaves.
  void Wake() {
    woken_ = true;
    AdvanceIfWoken();
  }

  void Stop() {
    stopping_ = true;
    Wake();
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (!ok) {
        End(grpc::Status::CANCELLED);  // the client has gone
      } else {
        Advance();
      }
    }
    AdvanceIfWoken();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      End(grpc::Status::CANCELLED);
    }
    AdvanceIfWoken();
  }

  // gRPC calls it after every reaction has returned. By the mutex that is plain to see, also for
  // ThreadSanitizer.
  void OnDone() override {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    owner_.Remove(this);
  }

 private:
  void AdvanceIfWoken() {
    while (woken_) {
      std::unique_lock lock(mutex_, std::try_to_lock);
      if (!lock) return;
      if (woken_.exchange(false)) Advance();
    }
  }

  void Advance() {
    if (writing_ || ended_) return;
    if (stopping_) return End(grpc::Status(grpc::StatusCode::UNAVAILABLE, kStopping));
    message_.Clear();
    const absl::StatusOr<Feed::Next> next = feed_.Advance(message_);
    if (!next.ok()) return End(ToGrpc(next.status()));
    switch (*next) {
      case Feed::Next::kMessage:
        writing_ = true;
        StartWrite(&message_);
        return;
      case Feed::Next::kIdle:
        return;
      case Feed::Next::kEnd:
        return End(grpc::Status::OK);
    }
  }

  void End(const grpc::Status& status) {
    if (std::exchange(ended_, true)) return;
    Finish(status);
  }

  Subscribers& owner_;
  std::mutex mutex_;
  Feed feed_;
  v1::SubscribeResponse message_;  // the one in flight
  bool writing_ = false;
  bool ended_ = false;
  std::atomic<bool> woken_ = false;
  std::atomic<bool> stopping_ = false;
};

Subscribers::Subscribers(const Hub& hub, const Pulse& pulse, const Clock& clock, uint32_t max,
                         absl::Duration heartbeat)
    : hub_(hub),
      pulse_(pulse),
      clock_(clock),
      max_(max),
      heartbeat_(heartbeat),
      pump_([this](const std::stop_token& stop) { Pump(stop); }) {}

Subscribers::~Subscribers() = default;

Subscribers::Reactor* Subscribers::Admit(Subscription subscription) {
  std::shared_ptr<Stream> stream;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Refuse(absl::UnavailableError(kStopping));
    if (streams_.size() >= max_) {
      return Refuse(absl::ResourceExhaustedError(absl::StrCat(
          streams_.size(), " subscribers are connected, no more are allowed; end one of them")));
    }
    stream = std::make_shared<Stream>(
        *this, Feed(hub_, pulse_, clock_, std::move(subscription), heartbeat_));
    streams_.emplace(stream.get(), stream);
  }
  stream->Wake();
  // Still alive: gRPC ends it, with OnDone, only after it was handed over.
  return stream.get();
}

void Subscribers::Stop(std::chrono::system_clock::time_point deadline) {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (const auto& stream : All()) stream->Stop();
  std::unique_lock lock(mutex_);
  removed_.wait_until(lock, deadline, [&] { return streams_.empty(); });
}

uint32_t Subscribers::count() const {
  std::lock_guard lock(mutex_);
  return static_cast<uint32_t>(streams_.size());
}

// A stream that comes while the pump waits has its next heartbeat a whole interval away, so half an
// interval is never too long to wait.
void Subscribers::Pump(const std::stop_token& stop) {
  const std::chrono::nanoseconds longest(absl::ToInt64Nanoseconds(heartbeat_ / 2));
  Position seen;
  while (!stop.stop_requested()) {
    seen = hub_.Wait(seen, longest, stop);
    for (const auto& stream : All()) stream->Wake();
  }
}

std::vector<std::shared_ptr<Subscribers::Stream>> Subscribers::All() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Stream>> all;
  all.reserve(streams_.size());
  for (const auto& [key, stream] : streams_) all.push_back(stream);
  return all;
}

void Subscribers::Remove(Stream* stream) {
  std::shared_ptr<Stream> last;  // freed outside of the lock
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  last = std::move(found->second);
  streams_.erase(found);
  removed_.notify_all();
}

}  // namespace kvmsentry
