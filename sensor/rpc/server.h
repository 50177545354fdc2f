// The gRPC server: Alerts, Sensor and SpecAdmin, the standard health service, and reflection, on a
// unix socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"

#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/base/status.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/rpc/socket_place.h"
#include "sensor/rpc/spec_control.h"

namespace kvmsentry {

inline constexpr char kDefaultSocket[] = "/run/kvmsentry/kvmsentry.sock";

struct ServerOptions {
  uint32_t max_subscribers = 64;  // more are refused with RESOURCE_EXHAUSTED
  absl::Duration heartbeat = absl::Seconds(10);
  absl::Duration stop_within = absl::Seconds(2);  // then clients that do not read are cut off
};

// Thread safe.
class Server {
 public:
  // Listens at PLACE when it returns. Health is NOT_SERVING until SetServing(true). HUB, VIEW,
  // PULSE, that of the sensor's loop, CLOCK and SPECS outlive the server. SPECS must answer what it
  // was asked before Stop can return; nullptr: there is no SpecAdmin.
  static absl::StatusOr<std::unique_ptr<Server>> Start(std::unique_ptr<SocketPlace> place,
                                                       const ServerOptions& options, const Hub& hub,
                                                       const SensorView& view, const Pulse& pulse,
                                                       const Clock& clock,
                                                       SpecControl* specs = nullptr);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // as Stop

  // What the health service says: whether the sensor works.
  void SetServing(bool serving);

  // Ends every stream with UNAVAILABLE "sensor is stopping", within options.stop_within, and gives
  // the socket back. May be called again.
  void Stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kvmsentry
