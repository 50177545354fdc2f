#include "sensor/cli/resume_point.h"

namespace kvmsentry {

void ResumePoint::Passed(const v1::SubscribeResponse& message) {
  if (message.has_alert()) {
    GoOnAfter(message.alert().position());
  } else if (message.has_gap()) {
    // A position ahead of the stream is not one to go on from.
    if (message.gap().reason() != v1::Gap::NOT_YET_WRITTEN) GoOnAfter(message.gap().to());
  } else if (message.has_heartbeat()) {
    // The first one tells where the stream stands before anything of it was sent: it is where to go
    // on only for who wants nothing of that.
    if (greeted_ || request_.only_new()) GoOnAfter(message.heartbeat().last());
    greeted_ = true;
  }
}

void ResumePoint::GoOnAfter(const v1::Position& position) {
  *request_.mutable_since() = position;
  request_.clear_only_new();
}

}  // namespace kvmsentry
