// A connection to kvmsentryd.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "kvmsentry/v1/spec_admin.pb.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Errors are ready to be shown: they name the socket, and say what to do where that is known.
class Client {
 public:
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const std::string& socket);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  absl::StatusOr<v1::GetStatusResponse> GetStatus();
  absl::StatusOr<v1::ListVmsResponse> ListVms(const v1::ListVmsRequest& request);
  absl::StatusOr<v1::ListSpecsResponse> ListSpecs(const v1::ListSpecsRequest& request);
  absl::StatusOr<v1::ApplySpecsResponse> ApplySpecs(const v1::ApplySpecsRequest& request);
  absl::StatusOr<v1::ReloadSpecsResponse> ReloadSpecs();

  absl::StatusOr<v1::ListOpenAlertsResponse> ListOpen(const v1::ListOpenAlertsRequest& request);
  absl::StatusOr<v1::ListAlertsResponse> List(const v1::ListAlertsRequest& request);

  // Calls ON_MESSAGE with each message until the stream ends, or it returns false. Call it once.
  // UNAVAILABLE: the connection was lost, or the sensor is stopping.
  absl::Status Subscribe(const v1::SubscribeRequest& request,
                         const std::function<bool(const v1::SubscribeResponse&)>& on_message);

  // Ends Subscribe with CANCELLED, also one that is still to come. From any thread.
  void Cancel();

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kvmsentry
