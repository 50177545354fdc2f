#include "sensor/daemon/losses.h"

#include <algorithm>

namespace kvmsentry {

void AddLoss(const Loss& loss, std::vector<LossView>* losses) {
  const auto same = std::ranges::find(*losses, loss.reason, &LossView::reason);
  if (same == losses->end()) {
    losses->push_back({std::string(loss.reason), std::string(loss.meaning), loss.count});
  } else {
    same->count += loss.count;
  }
}

std::vector<LossView> DescribeLosses(const OtherLosses& other) {
  return {
      {"skipped_run", "runs that the kernel left out because the program was running on that CPU",
       other.skipped_runs},
      {"missed_probe", "probes that the kernel left out, for it was inside another one",
       other.missed_probes},
      {"bad_record", "records that could not be read", other.bad_records},
      {"unknown_vm", "observations of a VM that was gone already", other.unknown_vm},
      {"late_observation", "observations judged a tick late", other.late},
      {"walk_failed", "walks over open files that failed: names, deaths or devices told late",
       other.failed_walks},
      {"late_tick", "ticks left out because the one before took too long: counters read late",
       other.late_ticks},
      {"journal_refused", "alerts that the journal did not take: no subscriber gets them",
       other.refused},
  };
}

}  // namespace kvmsentry
