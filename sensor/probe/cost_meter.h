// Measures what each hook's programs take of this host's processors.
#pragma once

#include <cstdint>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/probe/probe.h"

namespace kvmsentry {

struct HookCost {
  const Hook* hook = nullptr;
  bool optional = false;  // see IsOptional()
  uint64_t runs = 0;      // during the measurement
  double ns_per_run = 0;  // of no meaning without a run
  double percent = 0;     // of the time of all processors
};

// The kernel keeps run times only while somebody asks for them, since they cost each run two looks
// at a clock, a part of which they then hold: what is told is rather too much (bpf(2),
// BPF_ENABLE_STATS; Linux 5.8). So a measurement should be short and rare. Not thread safe.
class CostMeter {
 public:
  explicit CostMeter(uint32_t processors) : processors_(processors) {}

  // Fails where the kernel refuses; says why.
  absl::Status Begin(Probe& probe, KernelTime now);
  bool measuring() const { return static_cast<bool>(statistics_); }
  // Of the hooks that were attached all along.
  std::vector<HookCost> End(const Probe& probe, KernelTime now);

 private:
  const uint32_t processors_;
  Fd statistics_;  // on while it is open
  KernelTime began_;
  std::vector<HookRuns> before_;
};

}  // namespace kvmsentry
