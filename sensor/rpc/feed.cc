#include "sensor/rpc/feed.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "sensor/rpc/convert.h"

namespace kvmsentry {

Feed::Feed(const Hub& hub, const Pulse& pulse, const Clock& clock, Subscription subscription,
           absl::Duration heartbeat)
    : journal_(&hub.journal()),
      pulse_(&pulse),
      clock_(&clock),
      subscription_(std::move(subscription)),
      heartbeat_ns_(absl::ToInt64Nanoseconds(heartbeat)),
      start_(hub.journal().bounds().last()),
      cursor_(subscription_.only_new ? hub.ReadNew() : hub.ReadAfter(subscription_.since)) {}

absl::StatusOr<Feed::Next> Feed::Advance(v1::SubscribeResponse& message) {
  // Before the journal is read: what that tick raised is then sent before the heartbeat tells it.
  const Pulse::State pulse = pulse_->Get();
  const bool all_visible = journal_->visible() >= pulse.raised;
  if (!std::exchange(greeted_, true)) {
    FillHeartbeat(start_, pulse, message);
    return Next::kMessage;
  }
  for (;;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const std::optional<StreamItem> item, cursor_.Next());
    if (!item) break;
    if (const Gap* gap = std::get_if<Gap>(&*item)) {
      *message.mutable_gap() = ToProto(*gap);
      return Next::kMessage;
    }
    const JournaledAlert& alert = *std::get<AlertPtr>(*item);
    // Without this, a stream that is to end after what is kept could go on as long as alerts come.
    if (!subscription_.follow && alert.position > start_) return Next::kEnd;
    if (!Wants(alert)) continue;
    *message.mutable_alert() = ToProto(alert);
    return Next::kMessage;
  }
  if (!subscription_.follow) return Next::kEnd;
  if (clock_->Now() < next_heartbeat_ || pulse.tick == told_tick_ || !all_visible) {
    return Next::kIdle;
  }
  FillHeartbeat(cursor_.position(), pulse, message);
  return Next::kMessage;
}

bool Feed::Wants(const JournaledAlert& alert) {
  const AlertEvent& event = alert.event;
  const bool fresh = event.state == AlertState::kOpen;
  const bool followed = !fresh && followed_.contains(event.key);
  const bool wanted = subscription_.filter.Matches(alert, followed);
  if (fresh || event.state == AlertState::kCleared) followed_.erase(event.key);
  if (wanted && event.state != AlertState::kCleared) followed_.insert(event.key);
  return wanted;
}

void Feed::FillHeartbeat(Position last, const Pulse::State& pulse, v1::SubscribeResponse& message) {
  v1::Heartbeat& heartbeat = *message.mutable_heartbeat();
  *heartbeat.mutable_last() = ToProto(last);
  *heartbeat.mutable_at() = ToProto(pulse.tick_wall);
  next_heartbeat_ = clock_->Now() + heartbeat_ns_;
  told_tick_ = pulse.tick;
}

}  // namespace kvmsentry
