// The sensor watches itself: what is wrong with it is an alert of its own, of no VM. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

// What can be wrong, each an alert by the id "self-...".
enum class Fault : uint8_t {
  kRing,     // a canary did not come back: records get lost on their way
  kTables,   // somebody else wrote to the maps
  kPins,     // a pin is gone: a restart would begin at zero
  kLinks,    // a program is attached no more
  kSight,    // few hooks can be attached on this kernel
  kCost,     // programs cost more than their budget, and hooks were shed for it
  kWorker,   // a thread that asks the host hangs
  kJournal,  // alerts are not written to disk
  kSink,     // alerts are not written to where they were asked for
  kLoader,   // the process that attaches programs has ended
  kSpecs,    // a changed spec library was refused: an older one is loaded
};
inline constexpr size_t kFaults = 11;
std::array<absl::string_view, kFaults> FaultIds();  // "self-ring", ...

// One canary is under way at a time.
class CanaryWatch {
 public:
  // The number of the canary to send now; none while the last one is under way.
  std::optional<uint64_t> Send();
  // It could not be sent after all.
  void Refused() { under_way_ = false; }
  void Returned(uint64_t number);
  bool under_way() const { return under_way_; }

 private:
  uint64_t number_ = 0;
  bool under_way_ = false;
};

class SelfWatch {
 public:
  // DETAIL says what is wrong; empty: nothing is. Opens an alert, or clears it; where something
  // else is wrong than was told last, updates it, once in kUpdateNs at most.
  void Judge(Fault fault, absl::string_view detail, KernelTime now);

  static constexpr int64_t kUpdateNs = 60 * kNsPerSecond;

  // What is wrong now.
  std::vector<FaultView> Open() const;

  // The steps since the last call, in their order.
  std::vector<AlertEvent> Take();

 private:
  struct State {
    bool open = false;
    KernelTime opened_at;
    uint64_t count = 0;
    std::string detail;  // of the latest judgement
    std::string told;    // of the latest step
    KernelTime told_at;
  };

  std::array<State, kFaults> states_;
  std::vector<AlertEvent> events_;
};

}  // namespace kvmsentry
