// What the command line and the configuration file say of who may reach the sensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/rpc/access/options.h"

namespace CLI {
class App;
}

namespace kvmsentry {

struct AccessConfig {
  std::vector<std::string> admin_users;   // beside root, by name or number
  std::vector<std::string> admin_groups;  // by name or number
  std::string listen;                     // ADDRESS:PORT; empty: the unix socket only
  TlsPaths tls;
  SanRoles sans;
  uint32_t max_connections = 256;
  double max_requests = 100;  // a second, of each caller; 0: no limit
};

void AddAccessOptions(CLI::App& app, AccessConfig& config);

// What no option can check alone: INVALID_ARGUMENT where TCP would be served without client
// certificates, or to nobody.
absl::Status CheckAccess(const AccessConfig& config);

// Of a config that passed CheckAccess. INVALID_ARGUMENT for users and groups that are not there.
absl::StatusOr<AccessOptions> ReadAccess(const AccessConfig& config);

}  // namespace kvmsentry
