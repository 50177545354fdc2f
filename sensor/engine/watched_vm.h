// All that the engine knows of one VM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sensor/engine/engine.h"
#include "sensor/engine/report.h"
#include "sensor/engine/score_band.h"
#include "sensor/engine/watch.h"

namespace kvmsentry {

// EngineOptions, made ready.
struct EngineTuning {
  int64_t half_life_ns = 0;
  int64_t update_every_ns = 0;
  Bands bands;
};

class WatchedVm {
 public:
  // SPECS, in the order of their features, outlives it.
  WatchedVm(const std::vector<EngineSpec>& specs, const VmFacts& facts);

  // Keeps what is known for specs that still select it. What others contributed to the score goes
  // with them.
  void SetFacts(const VmFacts& facts);
  void SetRemoved(std::optional<KernelTime> at) { removed_at_ = at; }
  std::optional<KernelTime> removed_at() const { return removed_at_; }

  // An observation of it, taken as of AT.
  void Take(const Observation& observation, KernelTime at);

  // Appends what happened since the last Tell, in any order of time. Of a VM that is removed it
  // tells all there is, ending at NOW.
  void Tell(KernelTime now, const EngineTuning& tuning, std::vector<AlertEvent>& events);

  const VmFacts& facts() const { return facts_; }
  Engine::VmScore score() const { return score_; }  // as of the last Tell

 private:
  void TakeRate(Watch& watch, RateState& rate, const Observation& observation, KernelTime at);
  void TakeMember(Watch& watch, MemberWatch& set, const Observation& observation, KernelTime at);
  void TellWatch(Watch& watch, Step step, const EngineTuning& tuning,
                 std::vector<AlertEvent>& events);
  void TellToEnd(Watch& watch, Step step, const EngineTuning& tuning,
                 std::vector<AlertEvent>& events);
  void TellBand(Step step, const EngineTuning& tuning, std::vector<AlertEvent>& events);

  const std::vector<EngineSpec>* specs_;
  VmFacts facts_;
  std::vector<Watch> watches_;  // of the specs that select it, in their order
  std::vector<size_t> first_;   // by feature: its first watch; one more ends the last
  std::vector<Watch> leaving_;  // deviate by specs that no longer select it: to be told cleared
  std::optional<KernelTime> removed_at_;
  ScoreBand band_;
  std::string band_key_;
  Engine::VmScore score_;
  std::vector<Contribution> contributions_;  // as of the last Tell
  bool lossy_ = false;                       // something was lost since the last Tell
  bool active_ = false;                      // there is something open, to be told, or that decays
};

}  // namespace kvmsentry
