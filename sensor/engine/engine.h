// The engine compares observations with the spec library, scores each deviation and raises alerts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/feature/observation.h"
#include "sensor/feature/sample.h"
#include "sensor/feature/vm.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

struct EngineOptions {
  int64_t half_life_ns = 60 * kNsPerSecond;     // of a cleared deviation's part of the score
  int64_t update_every_ns = 60 * kNsPerSecond;  // an alert that goes on says so this often
  // Scores, in points, at which a band alert opens, with its severity; it leaves a band below 80%
  // of it. Rising; a band at 0 or below does not exist. A half-life or an interval of 0 or below:
  // what is cleared counts no more; an alert that goes on is told only when it is worse.
  int32_t notice_at = 25;
  int32_t warning_at = 50;
  int32_t critical_at = 100;
  // Parts of one VM that are told apart. Those beyond are counted together, as one part of their
  // kind, and an alert says so.
  size_t max_parts = 1024;
};

// Pure and deterministic to the bit: no I/O, no clock, no globals; equal input in equal order of
// Ticks gives equal output. State per VM is bounded by the library's size and max_parts. Not thread
// safe.
//
// Observations are buffered and taken at Tick(now), those with time <= now in the order (time, VM,
// kind, serial), but samples before all else of their time. One that comes late, no newer than the
// last Tick, is taken as of the last Tick: no event is added at a time that was reported already.
// (A late count still says what was counted at its own time, and says nothing where a newer one is
// known.)
class Engine {
 public:
  Engine(std::shared_ptr<const SpecLibrary> library, EngineOptions options);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Takes another library. Of a spec that is the same in both, by content, all state is kept; open
  // alerts of the others clear at the next Tick, which says whether the spec was removed or
  // changed.
  void SetLibrary(std::shared_ptr<const SpecLibrary> library);

  // A VM is known from here on; called again, its facts have changed (and so, perhaps, which specs
  // select it: deviations of those that no longer do clear at the next Tick). Observations of a VM
  // that is unknown at their Tick are dropped and counted.
  void UpsertVm(const VmFacts& facts, KernelTime now);
  // Its open alerts clear at the next Tick, as of NOW, and its state is dropped. What was observed
  // before that Tick still counts: a VM that dies of what it did is told with it.
  void RemoveVm(VmId vm, KernelTime now);

  // Parts need no announcement: one is known from its first observation on. A name, escaped and
  // bounded, replaces its number in alerts and for selectors: "disk-vda". A part that is removed is
  // forgotten after the next Tick, which clears its alerts.
  void NamePart(VmId vm, PartId part, std::string name);
  void RemovePart(VmId vm, PartId part);

  void Observe(Observation observation);
  // As if each count of SAMPLE were observed, in whatever order, and each that is unchanged, and
  // then each sighting, in their order: a VM at rest costs nothing by this. That is so to the bit
  // unless a count rests for more than three windows of a spec whose samples are further apart than
  // these calls. The time of a source's samples must not go back.
  void Observe(const Sample& sample);

  // Advances to NOW (never back) and returns what happened, in the order (at, VM); of one alert at
  // most one step, except that one of a VM that has gone may open and clear.
  std::vector<AlertEvent> Tick(KernelTime now);

  struct VmScore {
    int64_t millipoints = 0;
    uint32_t open_alerts = 0;
  };
  // As of the last Tick; nullopt for an unknown VM.
  std::optional<VmScore> ScoreOf(VmId vm) const;

  // Observations of VMs that were not known.
  uint64_t unknown_vm() const;
  // Observations that came after the Tick they belonged to.
  uint64_t late() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kvmsentry
