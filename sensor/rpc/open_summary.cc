#include "sensor/rpc/open_summary.h"

#include <algorithm>
#include <utility>

#include "sensor/base/escape.h"
#include "sensor/rpc/convert_parts.h"

namespace kvmsentry {
namespace {

constexpr size_t kNames = 4;

// Newest of the worst.
bool IsWorse(const JournaledAlert& alert, const JournaledAlert& than) {
  return std::pair(alert.event.severity, alert.opened_at) >
         std::pair(than.event.severity, than.opened_at);
}

}  // namespace

OpenSummary::OpenSummary(std::span<const AlertPtr> open, const SilencedByNow& silenced_by) {
  for (const AlertPtr& alert : open) {
    const AlertEvent& event = alert->event;
    if (event.observe_only) continue;  // it counts for nothing
    const uint64_t silence = silenced_by(event);
    if (event.vm.id.serial == 0) {
      if (silence != 0) own_silenced_[event.spec_id] = silence;
      continue;
    }
    OfSeverity& severity = severities_[event.severity];
    OfVm& vm = vms_[event.vm.id.serial];
    if (silence != 0) {
      ++severity.silenced;
      ++vm.silenced;
      continue;
    }
    ++severity.heard;
    const bool named = std::ranges::find(severity.vms, event.vm.name) != severity.vms.end();
    if (!named && severity.vms.size() < kNames) severity.vms.push_back(event.vm.name);
    if (vm.worst == nullptr || IsWorse(*alert, *vm.worst)) vm.worst = alert;
  }
}

void OpenSummary::FillStatus(v1::GetStatusResponse& status) const {
  for (const auto& [severity, alerts] : severities_) {
    v1::OpenAlerts& out = *status.add_open_alerts();
    out.set_severity(Cast<v1::Severity>(severity));
    out.set_count(alerts.heard);
    out.set_silenced(alerts.silenced);
    for (const std::string& vm : alerts.vms) out.add_vm(EscapeAgain(vm));
  }
  for (v1::Fault& fault : *status.mutable_faults()) {
    const auto silenced = own_silenced_.find(fault.id());
    if (silenced != own_silenced_.end()) fault.set_silenced_by(silenced->second);
  }
}

void OpenSummary::FillVm(uint64_t vm, v1::VmStatus& status) const {
  const auto found = vms_.find(vm);
  if (found == vms_.end()) return;
  status.set_silenced_alerts(found->second.silenced);
  if (found->second.worst == nullptr) return;
  const AlertEvent& worst = found->second.worst->event;
  status.set_worst_severity(Cast<v1::Severity>(worst.severity));
  status.set_worst_spec(EscapeAgain(worst.spec_id));
}

}  // namespace kvmsentry
