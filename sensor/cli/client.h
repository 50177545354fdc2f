// A connection to kvmsentryd.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "kvmsentry/v1/silence.pb.h"
#include "kvmsentry/v1/spec_admin.pb.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// How kvmsentryd is reached: by its unix socket, or over TCP with a certificate.
struct Target {
  std::string socket;
  std::string address;  // HOST:PORT; empty: the socket
  std::string cert;     // files in PEM: the certificate of the user,
  std::string key;      // its private key,
  std::string ca;       // and the authority that issued the server's
};

// Errors are ready to be shown: they name socket or address, and say what to do where that is
// known.
class Client {
 public:
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Target& target);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  absl::StatusOr<v1::GetStatusResponse> GetStatus();
  // As the standard health service has it.
  absl::StatusOr<bool> IsServing();
  absl::StatusOr<v1::ListVmsResponse> ListVms(const v1::ListVmsRequest& request);
  absl::StatusOr<v1::ListSpecsResponse> ListSpecs(const v1::ListSpecsRequest& request);
  absl::StatusOr<v1::ApplySpecsResponse> ApplySpecs(const v1::ApplySpecsRequest& request);
  absl::StatusOr<v1::ReloadSpecsResponse> ReloadSpecs();

  absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request);

  absl::StatusOr<v1::AddSilenceResponse> AddSilence(const v1::AddSilenceRequest& request);
  absl::StatusOr<v1::EndSilenceResponse> EndSilence(const v1::EndSilenceRequest& request);
  absl::StatusOr<v1::ListSilencesResponse> ListSilences();

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
