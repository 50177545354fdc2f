// How the sensor looks at itself every few seconds: the canary's way through the ring, the maps,
// and, by a worker, pins and links.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/daemon/self_watch.h"
#include "sensor/daemon/worker.h"

namespace kvmsentry {

// What a worker finds.
struct PinsAndLinks {
  absl::Status pins, links;
  absl::Status loader = {};
  std::string sight = {};  // what the hooks lack to see as they should; empty: nothing
};

// Not thread safe.
class SelfCheck {
 public:
  // Due every kLookNs.
  bool IsDue(KernelTime now) const { return now >= next_look_; }
  // SEND_CANARY has the canary by this number sent; TABLES is what the audit of the maps says. A
  // canary of the last look has had all ticks since to come back.
  void Look(const std::function<absl::Status(uint64_t)>& send_canary, const absl::Status& tables,
            KernelTime now);
  void CanaryReturned(uint64_t number) { canary_.Returned(number); }
  void Take(const PinsAndLinks& found, KernelTime now);

  // Somebody did to the maps what no look can undo: the alert stays open until a restart.
  void Tampered(absl::string_view detail, KernelTime now);

  // The job that has been running longest, of all workers: one that hangs is a fault.
  void LookAt(const std::optional<Worker::Running>& longest, KernelTime now);

  SelfWatch& watch() { return watch_; }
  const SelfWatch& watch() const { return watch_; }

  static constexpr int64_t kLookNs = 2 * kNsPerSecond;
  static constexpr int64_t kWorkerHangsNs = 60 * kNsPerSecond;

 private:
  KernelTime next_look_;
  CanaryWatch canary_;
  SelfWatch watch_;
  std::string tampered_;
};

}  // namespace kvmsentry
