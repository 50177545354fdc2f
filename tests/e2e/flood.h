// Floods: somebody does one thing as often as possible until told to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sensor/base/status.h"
#include "tests/support/guest.h"

namespace kvmsentry {

// Ends by itself after five minutes, and with its destruction.
class Flood {
 public:
  virtual ~Flood() = default;
  Flood() = default;
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  // Ends it. How often it did what it does; an error where that failed, or where it had ended.
  virtual absl::StatusOr<uint64_t> Stop() = 0;
};

using FloodOr = absl::StatusOr<std::unique_ptr<Flood>>;

// A guest with these options of kvmsentry-test-guest: a flood of what guests control.
FloodOr FloodByGuest(const std::string& options);

// VMs with one vCPU that are made and destroyed by this process.
FloodOr FloodOfVms();

// An interrupt line of a VM that is raised and lowered by ioctls on it.
FloodOr FloodOfInterrupts();

// Frames that a VM sends through vhost-net, each by a kick of its own.
FloodOr FloodOfVhostKicks();

// vhost-net devices that are set up for a VM, given a descriptor that makes no sense, and closed.
FloodOr FloodOfVhostDevices();

// A process that is not the VMM stops all threads of one, by ptrace, and lets them go again.
FloodOr FloodOfTracing();

}  // namespace kvmsentry
