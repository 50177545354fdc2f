// A vhost device of this process, as its VMM drives it.
#pragma once

#include <cstdint>
#include <vector>

#include <sched.h>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "tests/support/test_vm.h"
#include "tests/support/wait.h"
#include "tests/vhost/ring.h"

namespace kvmsentry {

// As WaitUntil, for what a worker of the kernel does within microseconds: it gets the processor
// before this process sleeps.
template <typename Condition>
bool WaitForWorker(Condition condition) {
  constexpr int kTurns = 1000;
  for (int turn = 0; turn < kTurns; ++turn) {
    if (condition()) return true;
    sched_yield();
  }
  return WaitUntil(condition);
}

// The eventfds of a queue.
struct QueueEvents {
  Fd kick, call, error;
};

// Move-only. Errors name the ioctl.
class VhostDevice {
 public:
  // Opens PATH and becomes its owner.
  static absl::StatusOr<VhostDevice> Open(const char* path);

  // What the device may reach: all of MEMORY, at guest address 0. Returns once the worker has done
  // all that it had to do.
  absl::Status SetMemory(const TestMemory& memory);
  absl::Status SetFeatures(uint64_t features);
  // Where queue INDEX is, and its eventfds.
  absl::Status SetQueue(uint32_t index, const Ring& ring);
  absl::Status SetAddresses(uint32_t index, const Ring& ring);
  absl::Status ResetOwner() { return Control(kResetOwner, "VHOST_RESET_OWNER"); }

  absl::Status Kick(uint32_t index);
  // How often the device interrupted, or complained of, queue INDEX since the last time.
  uint64_t TakeCalls(uint32_t index) { return Take(events_[index].call); }
  uint64_t TakeErrors(uint32_t index) { return Take(events_[index].error); }

  // Any other ioctl.
  template <typename Argument>
  absl::Status Set(unsigned long command, Argument argument, const char* name) {
    return Control(command, name, &argument);
  }
  // All ioctls made since the device had an owner, that one included.
  uint64_t ioctls() const { return ioctls_; }

 private:
  static const unsigned long kResetOwner;

  explicit VhostDevice(Fd fd) : fd_(std::move(fd)), events_(2) {}
  absl::Status Control(unsigned long command, const char* name, void* argument = nullptr);
  static uint64_t Take(const Fd& eventfd);

  Fd fd_;
  std::vector<QueueEvents> events_;
  uint64_t ioctls_ = 0;
};

}  // namespace kvmsentry
