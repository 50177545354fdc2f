// Where to go on after a lost connection.
#pragma once

#include "kvmsentry/v1/alerts.pb.h"

namespace kvmsentry {

// Keeps the request that asks for what was not yet received.
class ResumePoint {
 public:
  explicit ResumePoint(v1::SubscribeRequest request) : request_(std::move(request)) {}

  const v1::SubscribeRequest& request() const { return request_; }

  void StreamBegins() { greeted_ = false; }
  void Passed(const v1::SubscribeResponse& message);

 private:
  void GoOnAfter(const v1::Position& position);

  v1::SubscribeRequest request_;
  bool greeted_ = false;  // the stream's first heartbeat was received
};

}  // namespace kvmsentry
