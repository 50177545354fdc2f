// Reads what a VM was given from all places on the host: its VMM's command line, open files,
// rights, helpers, and what libvirt and KubeVirt say.
#pragma once

#include <optional>
#include <string>

#include "sensor/base/status.h"
#include "sensor/given/given.h"
#include "sensor/given/helpers.h"
#include "sensor/given/process_files.h"
#include "sensor/given/unix_sockets.h"
#include "sensor/inventory/device.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {

struct GivenRoots {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string host;  // before /run and /etc; empty: this host's own
};

// May wait for the host: for a worker. Not thread safe.
class GivenReader {
 public:
  explicit GivenReader(GivenRoots roots = {}) : roots_(std::move(roots)), helpers_(roots_.proc) {}

  // Before a round of Read.
  void Begin() {
    helpers_.Forget();
    sockets_.Forget();
    host_mounts_.reset();
  }

  // PROCESS was read earlier; NotFound where its pid is by now another's. What cannot be read is
  // unknown, and where a place should have told it a gap.
  absl::StatusOr<Given> Read(const ProcessFacts& process, const DeviceList& devices);

 private:
  void AddLibvirt(const ProcessFacts& process, const std::string& name, const std::string& uuid,
                  int32_t inner_pid, ProcessRoot& root, Given* given) const;
  const std::string& HostMounts();

  GivenRoots roots_;
  HelperFinder helpers_;
  SocketLists sockets_;
  std::optional<std::string> host_mounts_;  // empty: not known
};

}  // namespace kvmsentry
