// libvirt on the scenario's host, and domains that it runs.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "tests/support/process.h"

namespace kvmsentry::scenario {

// Its domains are destroyed, and it ends, with this. Move-only.
class Libvirt {
 public:
  // Ends when libvirtd answers. Writes to /etc/libvirt and to the host's list of users, which is
  // why scenarios with it run in the lab alone.
  static absl::StatusOr<Libvirt> Start();
  Libvirt(Libvirt&&) = default;
  Libvirt& operator=(Libvirt&&) = delete;
  ~Libvirt();

  // A domain NAME, whose firmware finds nothing to boot. Ends when it runs.
  absl::StatusOr<pid_t> Run(const std::string& name);

  // libvirtd ends and begins again, as in an upgrade; its domains go on.
  absl::Status Restart();

 private:
  explicit Libvirt(Process daemon) : daemon_(std::move(daemon)) {}

  Process daemon_;
  std::vector<std::string> domains_;
};

}  // namespace kvmsentry::scenario
