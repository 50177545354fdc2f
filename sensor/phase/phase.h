// From events in order to the state that a VM, or a part of it, is in: a migration's steps, a vCPU
// that is halted, runs or is stuck.
//
// A reducer is a table of transitions. It is pure: equal events in equal order give equal states.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

// Something that happened, with its arguments. Kinds are the source's own numbers.
struct Event {
  KernelTime time = {};
  VmId vm = {};
  PartId part = {};
  uint64_t serial = 0;  // orders events that are alike in time; the source counts it up
  uint32_t kind = 0;
  std::array<uint64_t, 3> arguments = {};
};

inline constexpr uint64_t kAnyState = UINT64_MAX;

// An EVENT in state FROM leads to state TO, where WHEN holds. States are members of the feature's
// kind.
struct Transition {
  uint64_t from = kAnyState;
  uint32_t event = 0;
  bool (*when)(const Event&) = nullptr;  // nullptr: always
  uint64_t to = 0;
};

struct PhaseTable {
  FeatureId feature = {};
  uint64_t initial = 0;                     // before the first event
  std::span<const Transition> transitions;  // the first that fits is taken; none: nothing changes
};

class Phase {
 public:
  // Those beyond are not followed and counted.
  static constexpr size_t kMostFollowed = 65'536;

  explicit Phase(const PhaseTable& table) : table_(table) {}

  // Takes EVENTS, in the order (time, serial) however they come, and returns each state that was
  // entered, as observations without serials. An event that is older than the last of its VM and
  // part comes too late: what it would have led to is past.
  std::vector<Observation> Take(std::vector<Event> events);

  // The VM is gone.
  void Forget(VmId vm);

  uint64_t StateOf(VmId vm, PartId part) const;
  uint64_t not_followed() const { return not_followed_; }
  uint64_t late() const { return late_; }

 private:
  struct Now {
    uint64_t state = 0;
    KernelTime since;  // of the last event
  };

  PhaseTable table_;
  std::map<std::pair<VmId, PartId>, Now> now_;
  uint64_t not_followed_ = 0;
  uint64_t late_ = 0;
};

}  // namespace kvmsentry
