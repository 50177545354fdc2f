// From the sources and the kernel's ring to the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/daemon/coverage_board.h"
#include "sensor/daemon/seen_members.h"
#include "sensor/daemon/self_check.h"
#include "sensor/engine/engine.h"
#include "sensor/source/changed_counts.h"
#include "sensor/source/registry.h"

namespace kvmsentry {

// Not thread safe.
class Observer {
 public:
  // All outlive it.
  Observer(Sources& sources, Engine& engine, SelfCheck& self);

  // Hands all records that wait to the engine, which evaluates them at its next Tick: until then a
  // VM becomes known, if it is not yet.
  void Drain();
  // Whether a record told of a VM that was born since the last call.
  bool TakeBorn() { return std::exchange(born_, false); }

  // Has all sources read their counters and hands these to the engine as of NOW; nothing if that
  // was done for NOW. What a VM did that is not watched yet waits.
  void Sample(const CoverageBoard& coverage, KernelTime now);
  // VM came, is gone, or others of its facts are known: its next sample is handed over whole.
  void Forget(VmId vm) { heard_.Forget(vm); }

  // Of each source, as of the latest sample.
  std::vector<std::shared_ptr<const SourceCounts>> Counts() const;
  // The members of sets that each VM was seen with.
  MemberBook& members() { return members_; }
  KernelTime recorded_at() const { return recorded_at_; }  // the latest that a record names
  uint64_t bad_records() const { return bad_records_; }

 private:
  void TakeRecord(std::span<const std::byte> bytes, bool lossy);
  void Crossed(Observation crossed, bool lossy);
  void Observe(Observation observation);
  void SampleOf(Source& source, KernelTime now);
  void ObserveUnchanged(const Source& source, KernelTime now);

  Sources& sources_;
  Engine& engine_;
  SelfCheck& self_;
  MemberBook members_;
  ChangedCounts heard_;
  std::vector<FeatureId> observed_;                    // the active features of the latest sample
  std::map<SourceId, std::vector<FeatureId>> active_;  // the same by source
  std::map<SourceId, std::vector<FeatureId>> rates_;   // the rates among these
  KernelTime sampled_at_;
  KernelTime recorded_at_;
  bool born_ = false;
  uint64_t losses_;                         // that matter, as of the latest sample ...
  std::map<SourceId, uint64_t> losses_of_;  // ... and of each source
  uint64_t bad_records_ = 0;                // records that no program of ours writes
  uint64_t serial_ = 0;                     // of the observations
};

}  // namespace kvmsentry
