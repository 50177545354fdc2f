#include "sensor/cli/health.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/cli/causes.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// A tick is a second at most.
constexpr absl::Duration kStandsStill = absl::Seconds(5);

void FindOpenAlerts(const v1::GetStatusResponse& status, std::vector<Finding>& findings) {
  for (const v1::OpenAlerts& open : status.open_alerts()) {
    if (open.count() == 0 || open.severity() < v1::WARNING) continue;
    findings.push_back({open.severity() == v1::CRITICAL ? Health::kCritical : Health::kWarning,
                        absl::StrCat(Counted(open.count(), "alert"), " open, of ",
                                     absl::StrJoin(open.vm(), ", "), ": kvmsentry alerts --open")});
  }
}

void FindFaults(const v1::GetStatusResponse& status, std::vector<Finding>& findings) {
  for (const v1::Fault& fault : status.faults()) {
    const bool silenced = fault.silenced_by() != 0;
    findings.push_back({silenced                           ? Health::kOk
                        : fault.severity() == v1::CRITICAL ? Health::kCritical
                                                           : Health::kWarning,
                        absl::StrCat(silenced ? "silenced: " : "", fault.text())});
  }
}

// What was lost long ago, or in an earlier run, is no reason to act: `status --losses` shows it.
void FindLosses(const v1::GetStatusResponse& status, std::vector<Finding>& findings) {
  for (const v1::Loss& loss : status.losses()) {
    if (loss.recent() == 0) continue;
    findings.push_back({loss.matters() ? Health::kWarning : Health::kOk,
                        absl::StrCat("lost ", Counted(loss.recent(), "time"), " within 20 min, ",
                                     loss.reason(), ": ", loss.meaning())});
  }
}

void FindVms(const v1::GetStatusResponse& status, std::vector<Finding>& findings) {
  if (status.vms_hidden() > 0) {
    findings.push_back({Health::kCritical, absl::StrCat(Counted(status.vms_hidden(), "VM"),
                                                        " hidden: KVM counts more than any "
                                                        "process has open")});
  }
  if (status.vms_unwatched() > 0) {
    findings.push_back({Health::kWarning, absl::StrCat(Counted(status.vms_unwatched(), "VM"),
                                                       " not watched: see kvmsentry vms")});
  }
}

}  // namespace

std::vector<Finding> FindingsOf(const v1::GetStatusResponse& status, absl::Time now) {
  std::vector<Finding> findings;
  const absl::Duration still = now - ToTime(status.last_tick());
  if (status.has_last_tick() && still > kStandsStill) {
    findings.push_back(
        {Health::kCritical, absl::StrCat("the sensor has not ticked for ", InSeconds(still))});
  }
  FindFaults(status, findings);
  FindOpenAlerts(status, findings);
  FindVms(status, findings);
  FindLosses(status, findings);
  std::ranges::move(FindCauses(status), std::back_inserter(findings));
  if (!status.journal().recreated_reason().empty()) {
    findings.push_back({Health::kWarning, absl::StrCat("the journal was unreadable: ",
                                                       status.journal().recreated_reason())});
  }
  if (status.pins_recreated()) {
    findings.push_back({Health::kOk, absl::StrCat("counts of an earlier run were removed: ",
                                                  status.pins_recreated_reason())});
  }
  std::ranges::stable_sort(findings, std::greater(), &Finding::health);
  return findings;
}

Health HealthOf(const std::vector<Finding>& findings) {
  return findings.empty() ? Health::kOk : findings.front().health;
}

}  // namespace kvmsentry
