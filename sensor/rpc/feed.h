// What one subscriber is sent, and when: the stream without the transport.
#pragma once

#include <set>
#include <string>

#include "absl/time/time.h"

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/alert/cursor.h"
#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/rpc/request.h"

namespace kvmsentry {

// First a heartbeat; then what is kept; then, if the subscriber follows, what is new, and a
// heartbeat at intervals whenever all that is written was sent or filtered out: who resumes from a
// heartbeat must not miss what was written but not yet sent. A heartbeat is that of the sensor:
// while its loop does not tick, there is none. Not thread safe; HUB, PULSE and CLOCK outlive it.
class Feed {
 public:
  enum class Next {
    kMessage,  // there is one to be sent
    kIdle,     // not now: ask again when the hub has more, or a heartbeat is due
    kEnd,      // the subscriber has all that it asked for
  };

  Feed(const Hub& hub, const Pulse& pulse, const Clock& clock, Subscription subscription,
       absl::Duration heartbeat);

  // Fills MESSAGE where it returns kMessage. Fails as the journal does.
  absl::StatusOr<Next> Advance(v1::SubscribeResponse& message);

 private:
  void FillHeartbeat(Position last, const Pulse::State& pulse, v1::SubscribeResponse& message);
  // Whether ALERT is to be sent: it passes the filter, or is a step of one that did.
  bool Wants(const JournaledAlert& alert);

  const Journal* journal_;
  const Pulse* pulse_;
  const Clock* clock_;
  Subscription subscription_;
  int64_t heartbeat_ns_;
  Position start_;  // where the stream stood when the subscriber came
  Cursor cursor_;
  std::set<std::string> followed_;  // the alerts of which a step was sent, and not yet the end
  bool greeted_ = false;
  KernelTime next_heartbeat_;
  KernelTime told_tick_;  // by the latest heartbeat
};

}  // namespace kvmsentry
