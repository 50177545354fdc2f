// From the kernel's ring and tables to the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/daemon/coverage_board.h"
#include "sensor/daemon/self_check.h"
#include "sensor/daemon/vm_registry.h"
#include "sensor/engine/engine.h"
#include "sensor/probe/probe.h"
#include "sensor/record/sampler.h"

namespace kvmsentry {

// Not thread safe.
class Observer {
 public:
  // All outlive it.
  Observer(Probe& probe, Engine& engine, SelfCheck& self)
      : probe_(probe),
        engine_(engine),
        self_(self),
        losses_(LossesThatMatter(probe.tables().losses())) {}

  // Hands all records that wait to the engine, which evaluates them at its next Tick: until then a
  // VM becomes known, if it is not yet.
  void Drain();
  // Whether a record told of a VM that was born since the last call.
  bool TakeBorn() { return std::exchange(born_, false); }

  // Reads the counters and hands them to the engine as of NOW; nothing if that was done for NOW.
  // What a VM did that REGISTRY does not know yet waits.
  void Sample(const VmRegistry& registry, const CoverageBoard& coverage, KernelTime now);

  const std::shared_ptr<const std::vector<VmCounts>>& counts() const { return counts_; }
  KernelTime recorded_at() const { return recorded_at_; }  // the latest that a record names
  uint64_t bad_records() const { return bad_records_; }

 private:
  void TakeRecord(std::span<const std::byte> bytes, bool lossy);
  void Observe(Observation observation);
  void ObserveMembers(const Tables::Members& members, KernelTime now);

  Probe& probe_;
  Engine& engine_;
  SelfCheck& self_;
  std::shared_ptr<const std::vector<VmCounts>> counts_ =
      std::make_shared<const std::vector<VmCounts>>();
  KernelTime sampled_at_;
  KernelTime recorded_at_;
  bool born_ = false;
  uint64_t losses_;           // as of the latest sample
  uint64_t bad_records_ = 0;  // records that no program of ours writes
  uint64_t serial_ = 0;       // of the observations
};

}  // namespace kvmsentry
