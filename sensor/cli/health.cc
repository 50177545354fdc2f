#include "sensor/cli/health.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// A tick is a second at most.
constexpr absl::Duration kStandsStill = absl::Seconds(5);

struct Cause {
  std::string text;
  v1::HookStatus::Lack lack = v1::HookStatus::LACK_UNSPECIFIED;
  v1::Coverage worst = v1::ACTIVE;
  std::vector<std::string> hooks = {};
  uint64_t specs = 0;
};

// Nothing is missed that happens here, or somebody wants it so.
bool IsExpected(const Cause& cause) {
  return cause.lack == v1::HookStatus::NOT_APPLICABLE ||
         cause.lack == v1::HookStatus::MODULE_MISSING || cause.lack == v1::HookStatus::SWITCHED_OFF;
}

bool IsOf(const v1::SpecStatus& spec, const Cause& cause) {
  return std::ranges::any_of(cause.hooks, [&](const std::string& hook) {
    return absl::StrContains(spec.reason(), absl::StrCat(hook, ": "));
  });
}

void FindCauses(const v1::GetStatusResponse& status, std::vector<Finding>& findings) {
  std::vector<Cause> causes;
  for (const v1::HookStatus& hook : status.hooks()) {
    if (Works(hook.coverage())) continue;
    auto cause = std::ranges::find_if(causes, [&hook](const Cause& known) {
      return known.text == hook.reason() && known.lack == hook.lack();
    });
    if (cause == causes.end()) {
      causes.push_back({.text = hook.reason(), .lack = hook.lack()});
      cause = causes.end() - 1;
    }
    cause->hooks.push_back(hook.name());
    cause->worst = std::max(cause->worst, hook.coverage());
  }
  for (const v1::SpecStatus& spec : status.specs()) {
    if (Works(spec.coverage())) continue;
    for (Cause& cause : causes) cause.specs += IsOf(spec, cause) ? 1U : 0U;
  }
  std::ranges::stable_sort(causes, std::greater(), &Cause::specs);
  for (const Cause& cause : causes) {
    const bool expected = IsExpected(cause) || cause.specs == 0;
    findings.push_back(
        {expected ? Health::kOk : Health::kWarning,
         absl::StrCat(Counted(cause.specs, "spec"), ", ", Counted(cause.hooks.size(), "hook"),
                      cause.worst == v1::DEGRADED ? " degraded: " : " off: ", cause.text)});
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

}  // namespace

std::vector<Finding> FindingsOf(const v1::GetStatusResponse& status, absl::Time now) {
  std::vector<Finding> findings;
  const absl::Duration still = now - ToTime(status.last_tick());
  if (status.has_last_tick() && still > kStandsStill) {
    findings.push_back(
        {Health::kCritical, absl::StrCat("the sensor has not ticked for ", InSeconds(still))});
  }
  for (const v1::Fault& fault : status.faults()) {
    findings.push_back(
        {fault.severity() == v1::CRITICAL ? Health::kCritical : Health::kWarning, fault.text()});
  }
  if (status.vms_hidden() > 0) {
    findings.push_back({Health::kCritical, absl::StrCat(Counted(status.vms_hidden(), "VM"),
                                                        " hidden: KVM counts more than any "
                                                        "process has open")});
  }
  if (status.vms_unwatched() > 0) {
    findings.push_back({Health::kWarning, absl::StrCat(Counted(status.vms_unwatched(), "VM"),
                                                       " not watched: see kvmsentry vms")});
  }
  FindLosses(status, findings);
  FindCauses(status, findings);
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
