// Notices that the daemon's loop stands still: the health service says so, and in the end the
// process ends, so that whoever supervises it starts it again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// A watchdog of fewer ticks would end a loop that works.
inline constexpr int64_t kFewestTicks = 10;

struct WatchdogLimits {
  int64_t stalled_ns = 10 * kNsPerSecond;  // without a tick: not serving
  int64_t fatal_ns = 60 * kNsPerSecond;    // without a tick: end; 0: never
  // How often to look. More than twice as much between two looks does not count: the whole process
  // was stopped then, and the loop has had no chance.
  int64_t LookNs() const { return stalled_ns / 4; }

  // Of --watchdog and --tick: not serving after a sixth of the time, but not within five ticks.
  static WatchdogLimits For(int64_t fatal_ns, int64_t tick_ns);
};

// Pure.
class StallWatch {
 public:
  explicit StallWatch(WatchdogLimits limits) : limits_(limits) {}

  struct Verdict {
    bool serving = true;
    std::string fatal;  // why to end; empty: go on
  };
  // Call it every LookNs().
  Verdict Look(const Pulse::State& pulse, KernelTime now);

 private:
  const WatchdogLimits limits_;
  KernelTime looked_at_;
  KernelTime tick_;
  int64_t still_ns_ = 0;
};

// A thread that looks. PULSE and CLOCK outlive it.
class Watchdog {
 public:
  struct Actions {
    std::function<void(bool)> serve;              // when it changes
    std::function<void(const std::string&)> end;  // called again until the process has ended
  };
  Watchdog(WatchdogLimits limits, const Pulse& pulse, const Clock& clock, Actions actions);

 private:
  std::jthread thread_;
};

// Logs WHY and ends the process at once with kStalledExitCode, whatever its other threads hold.
[[noreturn]] void EndStalled(const std::string& why);
inline constexpr int kStalledExitCode = 3;

}  // namespace kvmsentry
