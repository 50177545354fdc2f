// Every reason by which something can be lost, in words. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// What no source says.
struct OtherLosses {
  uint64_t skipped_runs = 0;      // of programs, by the kernel
  uint64_t skipped_anybodys = 0;  // the same of programs that run for every process
  uint64_t missed_probes = 0;     // kprobes and kretprobes, by the kernel
  uint64_t bad_records = 0;       // from the ring
  uint64_t unknown_vm = 0;        // observations of VMs that the inventory did not know
  uint64_t late = 0;              // observations older than the tick before
  uint64_t failed_walks = 0;      // over open files, of all processes or of one VMM
  uint64_t late_ticks = 0;        // left out, because the tick before lasted too long
  uint64_t things_refused = 0;    // disks, taps and cgroups of VMs, by the map owners
  uint64_t refused = 0;           // alerts, by the journal
  uint64_t unwritten = 0;         // alerts, by the journal's disk
};

// Adds a source's loss to LOSSES: a reason that several sources have is one loss.
void AddLoss(const Loss& loss, std::vector<LossView>* losses);

std::vector<LossView> DescribeLosses(const OtherLosses& other);

// Counts are kept over restarts and never fall, so what is lost now shows in their growth only.
class RecentLosses {
 public:
  // Fills in `recent`. What was counted at the first call is not recent.
  void Mark(std::vector<LossView>& losses, KernelTime now);

  static constexpr int64_t kPeriodNs = 600 * kNsPerSecond;

 private:
  std::map<std::string, uint64_t> before_;  // as the period before this one began
  std::map<std::string, uint64_t> begun_;   // as this one did
  KernelTime begun_at_;
};

}  // namespace kvmsentry
