#include "tests/docs/attacks_page.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr char kAttacksBegin[] =
    R"(# Attacks

Attacks on hosts of VMs that scenarios stage, and what reports them. Written by `build/release/tests/docs/write_docs`
from the scenarios (`tests/scenario` of the source) and the [library](../specs/README.md) that ships: not by hand. The
ATT&CK techniques are those of the specs.

*Time to alert* runs from the act to the first alert at a client. Milliseconds were measured, on the machine on which
`KVMSENTRY_ALERT_TIMES` was last written. Scenarios that do not run there run in the lab, whose emulated clock measures
nothing. They say at the latest when the sensor sees the act:

| time | the sensor sees the act |
| --- | --- |
| tick | when it reads what the kernel counted, every 100 ms |
| second | when it reads what the VM uses, once a second |
| child | when it looks at the VMM's children, every 3 s; a child that lives for less than 5 s does not count |
| walk | when it reads again how the VMM runs and what the VM was given: for a new VMM, and one whose devices changed, after the next walk over open files, within some ten seconds; for every other after 30 s, so within some 40 s |
| ... + 60 s | the same, but the deviation must last for so long, or the rate is counted over so long a window |

So `vmm_gains_rights` was measured at 30 s: a VMM's rights are read again every 30 s and compared with its first ones.
`undeclared-device` waits another 45 s, in which the manager may still write the device into its file. What a VM does before
the sensor has read what it was given waits for that, a minute at most.

| attack | points | specs | ATT&CK | scenario | time to alert |
| --- | --- | --- | --- | --- | --- |
)";

std::vector<const Spec*> SpecsOf(const scenario::Scenario& scenario, const SpecLibrary& library) {
  std::set<std::string> ids;
  for (const auto& alert : scenario.expect().alert()) ids.insert(alert.spec());
  for (const auto& step : scenario.step()) {
    if (step.has_wait_alert()) ids.insert(step.wait_alert().spec());
  }
  std::vector<const Spec*> specs;
  for (const Spec& spec : library.specs()) {
    if (ids.contains(spec.id)) specs.push_back(&spec);
  }
  return specs;
}

// Features of processes that must live for a while.
bool IsOfChildren(const Feature& feature) {
  return feature.name == "vmm.copy" || feature.name == "vmm.survivor";
}

// When SPEC's deviation is seen at the latest, as a rank (the soonest first) and in words.
std::pair<int64_t, std::string> Latest(const Spec& spec) {
  const Feature& feature = FeatureOf(spec.feature);
  std::pair<int64_t, std::string> latest{100, "tick"};
  if (feature.source == SourceId::kEntitlement) {
    latest = {40'000, "walk"};
  } else if (IsOfChildren(feature)) {
    latest = {8'000, "child"};
  } else if (feature.source == SourceId::kResource) {
    latest = {1'000, "second"};
  }
  const int64_t window_ns = feature.kind == FeatureKind::kRate ? spec.window_ns : 0;
  const int64_t more_ns = std::max(spec.patience.for_ns, window_ns);
  if (more_ns > 0) {
    latest.first += more_ns / kNsPerMs;
    absl::StrAppend(&latest.second, " + ", static_cast<double>(more_ns) / kNsPerSecond, " s");
  }
  return latest;
}

}  // namespace

AlertTimes ParseAlertTimes(absl::string_view text) {
  AlertTimes times;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    double milliseconds = 0;
    if (words.size() != 2 || !absl::SimpleAtod(words[1], &milliseconds)) continue;
    times[std::string(words[0])] = absl::StrCat(words[1], " ms");
  }
  return times;
}

std::string AttacksPage(std::span<const scenario::Named> scenarios, const SpecLibrary& library,
                        const AlertTimes& times) {
  std::vector<std::pair<std::string, std::string>> rows;  // by attack
  for (const scenario::Named& named : scenarios) {
    if (!named.scenario.ok() || named.scenario->attack().empty()) continue;
    std::set<absl::string_view> points;
    std::set<std::string> techniques;
    std::vector<std::string> ids;
    std::pair<int64_t, std::string> latest{INT64_MAX, "-"};
    for (const Spec* spec : SpecsOf(*named.scenario, library)) {
      latest = std::min(latest, Latest(*spec));
      points.insert(PointName(spec->point));
      techniques.insert(spec->mitre.begin(), spec->mitre.end());
      ids.push_back(absl::StrCat("`", spec->id, "`"));
    }
    const auto time = times.find(named.name);
    rows.emplace_back(named.scenario->attack(),
                      absl::StrCat(absl::StrJoin(points, ", "), " | ", absl::StrJoin(ids, ", "),
                                   " | ", absl::StrJoin(techniques, ", "), " | ", named.name, " | ",
                                   time == times.end() ? latest.second : time->second));
  }
  std::ranges::sort(rows);
  std::string page = kAttacksBegin;
  for (const auto& [attack, rest] : rows) absl::StrAppend(&page, "| ", attack, " | ", rest, " |\n");
  return page;
}

}  // namespace kvmsentry
