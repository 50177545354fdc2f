// The sign of life of the daemon's loop: when it ticked last, and what it is doing.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>

#include "absl/time/time.h"

#include "sensor/base/clock.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// The loop writes, any thread reads. Thread safe, and no lock is held for longer than a copy.
class Pulse {
 public:
  struct State {
    KernelTime tick;  // when the latest tick ended; 0 before the first
    absl::Time tick_wall;
    uint64_t raised = 0;    // how many alerts this run had raised by then
    const char* step = "";  // what the loop does, a literal; empty while it waits
    KernelTime step_since;
  };

  // A tick has ended: everything that it raised was published, RAISED alerts since the start.
  void Tick(const Clock& clock, uint64_t raised = 0) {
    const std::lock_guard lock(mutex_);
    state_.raised = raised;
    state_.tick = clock.Now();
    state_.tick_wall = clock.WallNow();
  }

  State Get() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

  // The loop does STEP, a literal, for as long as this lives; then what it did before.
  class Step {
   public:
    Step(Pulse& pulse, const Clock& clock, const char* step)
        : pulse_(pulse), before_(pulse.Enter(step, clock.Now())) {}
    ~Step() { pulse_.Enter(before_.first, before_.second); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Pulse& pulse_;
    const std::pair<const char*, KernelTime> before_;
  };

 private:
  std::pair<const char*, KernelTime> Enter(const char* step, KernelTime since) {
    const std::lock_guard lock(mutex_);
    return {std::exchange(state_.step, step), std::exchange(state_.step_since, since)};
  }

  mutable std::mutex mutex_;
  State state_;  // guarded by mutex_
};

}  // namespace kvmsentry
