#include "sensor/rpc/feed.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "sensor/rpc/convert.h"

namespace kvmsentry {

Feed::Feed(const Hub& hub, const Pulse& pulse, const Clock& clock, Subscription subscription,
           absl::Duration heartbeat)
    : pulse_(&pulse),
      clock_(&clock),
      subscription_(std::move(subscription)),
      heartbeat_ns_(absl::ToInt64Nanoseconds(heartbeat)),
      start_(hub.journal().bounds()),
      cursor_(subscription_.only_new ? hub.ReadNew() : hub.ReadAfter(subscription_.since)) {}

absl::StatusOr<Feed::Next> Feed::Advance(v1::SubscribeResponse& message) {
  // Before the journal is read: what that tick raised is then sent before the heartbeat tells it.
  const Pulse::State pulse = pulse_->Get();
  if (!std::exchange(greeted_, true)) {
    FillHeartbeat(start_.last, pulse, message);
    return Next::kMessage;
  }
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const std::optional<StreamItem> item, cursor_.Next());
    if (!item) break;
    if (const Gap* gap = std::get_if<Gap>(&*item)) {
      *message.mutable_gap() = ToProto(*gap);
      return Next::kMessage;
    }
    const JournaledAlert& alert = *std::get<std::shared_ptr<const JournaledAlert>>(*item);
    // Without this, a stream that is to end after what is kept could go on as long as alerts come.
    if (!subscription_.follow && alert.position.sequence > start_.last) return Next::kEnd;
    if (!subscription_.filter.Matches(alert.event)) continue;
    *message.mutable_alert() = ToProto(alert);
    return Next::kMessage;
  }
  if (!subscription_.follow) return Next::kEnd;
  if (clock_->Now() < next_heartbeat_ || pulse.tick == told_tick_) return Next::kIdle;
  FillHeartbeat(cursor_.next() - 1, pulse, message);
  return Next::kMessage;
}

void Feed::FillHeartbeat(uint64_t sequence, const Pulse::State& pulse,
                         v1::SubscribeResponse& message) {
  v1::Heartbeat& heartbeat = *message.mutable_heartbeat();
  *heartbeat.mutable_last() = ToProto(Position{start_.epoch, sequence});
  *heartbeat.mutable_at() = ToProto(pulse.tick_wall);
  next_heartbeat_ = clock_->Now() + heartbeat_ns_;
  told_tick_ = pulse.tick;
}

}  // namespace kvmsentry
