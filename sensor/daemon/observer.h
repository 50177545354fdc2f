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
#include "sensor/source/heard_counts.h"
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
  void Forget(VmId vm);

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
  void SetActive(std::span<const FeatureId> active);
  void SampleOf(Source& source, KernelTime now);

  // What is known of a source.
  struct Known {
    std::vector<FeatureId> active;        // its features that can be seen ...
    std::vector<FeatureId> rates;         // ... the rates among these ...
    std::vector<const Feature*> metered;  // ... and those of them that meters count
    HeardCounts heard;
    uint64_t losses = 0;  // that matter, up to the latest sample
  };

  Sources& sources_;
  Engine& engine_;
  SelfCheck& self_;
  MemberBook members_;
  std::map<SourceId, Known> known_;
  std::vector<FeatureId> active_;  // the features that could be seen at the latest sample
  Reading reading_;                // empty but while a source is read: it keeps its room
  KernelTime sampled_at_;
  KernelTime recorded_at_;
  bool born_ = false;
  uint64_t losses_;           // that matter, of all sources, up to the latest sample
  uint64_t bad_records_ = 0;  // records that no program of ours writes
  uint64_t serial_ = 0;       // of the observations
};

}  // namespace kvmsentry
