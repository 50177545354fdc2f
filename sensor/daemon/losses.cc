#include "sensor/daemon/losses.h"

#include <algorithm>
#include <utility>

namespace kvmsentry {

void AddLoss(const Loss& loss, std::vector<LossView>* losses) {
  const auto same = std::ranges::find(*losses, loss.reason, &LossView::reason);
  if (same == losses->end()) {
    losses->push_back({.reason = std::string(loss.reason),
                       .meaning = std::string(loss.meaning),
                       .count = loss.count,
                       .matters = loss.matters});
  } else {
    same->count += loss.count;
    same->matters |= loss.matters;
  }
}

std::vector<LossView> DescribeLosses(const OtherLosses& other) {
  return {
      {.reason = "skipped_run",
       .meaning = "runs that the kernel left out because the program was running on that CPU",
       .count = other.skipped_runs,
       .matters = true},
      {.reason = "skipped_anybodys_run",
       .meaning = "the same of programs that run for every process of the host",
       .count = other.skipped_anybodys},
      {.reason = "missed_probe",
       .meaning = "probes that the kernel left out because it was inside another one",
       .count = other.missed_probes,
       .matters = true},
      {.reason = "bad_record",
       .meaning = "records that could not be read",
       .count = other.bad_records,
       .matters = true},
      {.reason = "unknown_vm",
       .meaning = "observations of a VM that had exited",
       .count = other.unknown_vm},
      {.reason = "late_observation",
       .meaning = "observations evaluated a tick late",
       .count = other.late},
      {.reason = "walk_failed",
       .meaning = "walks over open files that failed: names, deaths or devices reported late",
       .count = other.failed_walks},
      {.reason = "late_tick",
       .meaning = "ticks left out because the one before took too long: counters read late",
       .count = other.late_ticks},
      {.reason = "journal_refused",
       .meaning = "alerts that the journal refused: no subscriber gets them",
       .count = other.refused,
       .matters = true},
      {.reason = "thing_refused",
       .meaning = "times that the map owners had no room for a VM's disks or taps: raise --max-vms",
       .count = other.things_refused},
      {.reason = "journal_unwritten",
       .meaning = "alerts sent from memory that never came to the disk: a client that was away "
                  "misses them",
       .count = other.unwritten,
       .matters = true},
  };
}

void RecentLosses::Mark(std::vector<LossView>& losses, KernelTime now) {
  std::map<std::string, uint64_t> counts;
  for (const LossView& loss : losses) counts[loss.reason] = loss.count;
  if (begun_.empty()) {
    before_ = begun_ = counts;
    begun_at_ = now;
  } else if (now - begun_at_ >= kPeriodNs) {
    before_ = std::exchange(begun_, counts);
    begun_at_ = now;
  }
  for (LossView& loss : losses) {
    loss.recent = loss.count - std::min(loss.count, before_[loss.reason]);
  }
}

}  // namespace kvmsentry
