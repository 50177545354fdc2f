// What watches a VM, or one part of it: a watch for each spec that selects it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sensor/engine/held_counts.h"
#include "sensor/engine/layout.h"
#include "sensor/engine/unchanged_log.h"
#include "sensor/engine/watch.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

class Subject {
 public:
  explicit Subject(std::shared_ptr<const Layout> layout);

  // Keeps what is known for specs that are the same by content, and returns the watches of others
  // that are open, in their order. LEFT: what an earlier call returned and nobody was told of yet;
  // a spec that applies again goes on with it.
  std::vector<Watch> SetLayout(std::shared_ptr<const Layout> layout, std::vector<Watch> left = {});

  // An observation of it that is neither a count nor a number of a set, taken as of AT. LOG is that
  // of the feature's source, nullptr where it keeps none. True where something deviates.
  bool Take(const Observation& observation, KernelTime at, const UnchangedLog* log);
  // The same of what was counted of FEATURE, a rate; DETAIL as in Count.
  bool TakeCount(FeatureId feature, const CountSeen& count, std::optional<uint64_t> detail,
                 KernelTime at, const UnchangedLog* log);

  // The same of MEMBER of FEATURE, a set.
  bool TakeMember(FeatureId feature, uint64_t member, KernelTime at);
  // The same of FEATURE, a level or a state; VALUE and GIVEN as in Gauge.
  bool TakeGauge(FeatureId feature, uint64_t value, uint64_t given, KernelTime at);

  // At TIME the counts of FEATURES that were not observed then are as they were: judges those that
  // need it, as of AT. LOG has that entry already; the others read it when they must.
  bool TakeUnchanged(KernelTime time, KernelTime at, bool lossy, const std::vector<bool>& features,
                     const UnchangedLog& log);
  // There is a rate for which TakeUnchanged matters.
  bool awake() const { return awake_; }

  // Reads LOG, that of FEATURES, to its end: before it is another's, or the layout changes.
  void CatchUp(const std::vector<bool>& features, const UnchangedLog& log);
  // From now on it is: what it has so far is not theirs.
  void JoinLog(const std::vector<bool>& features, const UnchangedLog& log);

  // Those watches that ever found something, in their order: a few of very many.
  template <typename Visit>
  void EachFound(Visit visit) {
    for (const uint32_t i : found_) visit(watches_[i]);
  }
  template <typename Visit>
  void EachFound(Visit visit) const {
    for (const uint32_t i : found_) visit(watches_[i]);
  }
  // What the latest occurrence of a rate named; nullopt where it is not known.
  std::optional<uint64_t> DetailOf(FeatureId feature) const;

 private:
  using Group = Layout::Group;

  bool JudgeCount(const Group& group, HeldCounts& held, const CountSeen& count, KernelTime at);
  bool TakeCrossed(const Group& group, const Observation& crossed, KernelTime at,
                   const UnchangedLog* log);
  bool TakeWide(const Group& group, const Member& member, KernelTime at);
  bool TakeDeviant(const Member& member, KernelTime at, Watch& watch);
  bool TakeLevel(const Group& group, uint64_t level, uint64_t given, KernelTime at);
  bool TakeState(const Group& group, uint64_t state, KernelTime at);
  // What a judgement does to the deviation. True where it deviates.
  bool Apply(const Judgement& judgement, KernelTime at, Watch& watch);
  bool ApplyVariety(const Member& member, KernelTime at, uint32_t most, Watch& watch);
  // What WATCH, one of these, has found: made at the first call.
  Finding& Found(Watch& watch);
  // The rate's counts that were said to be unchanged.
  void ReadLog(const Group& group, HeldCounts& held, const UnchangedLog* log);
  void Hold(const Group& group, HeldCounts& held, KernelTime time, uint64_t count);
  void GiveHeld(const Group& group, HeldCounts& held);
  void FindSafe(const Group& group, HeldCounts& held);

  std::shared_ptr<const Layout> layout_;
  std::vector<HeldCounts> rates_;  // in the order of the layout's rates
  std::vector<Watch> watches_;     // in the order of the layout's specs
  std::vector<uint32_t> found_;    // of these, the ones that have a finding
  bool awake_ = true;
};

}  // namespace kvmsentry
