#include "sensor/daemon/watchdog.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace kvmsentry {

WatchdogLimits WatchdogLimits::For(int64_t fatal_ns, int64_t tick_ns) {
  WatchdogLimits limits{.fatal_ns = fatal_ns};
  if (fatal_ns != 0) limits.stalled_ns = fatal_ns / 6;
  limits.stalled_ns = std::max(limits.stalled_ns, kFewestTicks / 2 * tick_ns);
  return limits;
}

StallWatch::Verdict StallWatch::Look(const Pulse::State& pulse, KernelTime now) {
  const KernelTime before = std::exchange(looked_at_, now);
  if (std::exchange(tick_, pulse.tick) != pulse.tick || before.ns == 0) {
    still_ns_ = 0;
  } else {
    still_ns_ += std::min(now - before, 2 * limits_.LookNs());
  }
  Verdict verdict;
  verdict.serving = still_ns_ < limits_.stalled_ns;
  if (limits_.fatal_ns == 0 || still_ns_ < limits_.fatal_ns) return verdict;
  verdict.fatal = absl::StrCat("the loop has not ticked for ", still_ns_ / kNsPerSecond, " s; ");
  if (*pulse.step == '\0') {
    absl::StrAppend(&verdict.fatal, "it waits for events");
  } else {
    absl::StrAppend(&verdict.fatal, "in: ", pulse.step, ", for ",
                    (now - pulse.step_since) / kNsPerSecond, " s");
  }
  return verdict;
}

Watchdog::Watchdog(WatchdogLimits limits, const Pulse& pulse, const Clock& clock, Actions actions)
    : thread_([limits, &pulse, &clock, actions = std::move(actions)](const std::stop_token& stop) {
        StallWatch watch(limits);
        std::mutex mutex;
        std::condition_variable_any stopped;
        bool serving = true;
        while (!stop.stop_requested()) {
          const StallWatch::Verdict verdict = watch.Look(pulse.Get(), clock.Now());
          if (std::exchange(serving, verdict.serving) != verdict.serving) {
            actions.serve(verdict.serving);
          }
          if (!verdict.fatal.empty()) actions.end(verdict.fatal);
          std::unique_lock lock(mutex);
          stopped.wait_for(lock, stop, std::chrono::nanoseconds(limits.LookNs()),
                           [] { return false; });
        }
      }) {}

void EndStalled(const std::string& why) {
  // The loop may stand still inside the logger, whose reader does not read: then this signal ends
  // the process.
  alarm(2);
  spdlog::critical("ended by the watchdog: {}; please report it with this line", why);
  _exit(kStalledExitCode);
}

}  // namespace kvmsentry
