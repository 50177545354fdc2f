#include "tests/docs/attacks_page.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace kvmsentry {
namespace {

constexpr char kAttacksBegin[] =
    "# Attacks\n\n"
    "Attacks on hosts of VMs that scenarios stage, and what reports them. Written by "
    "`build/release/tests/docs/write_docs`\n"
    "from the [scenarios](../tests/scenario) and the [library](../specs) that ships: not by hand. "
    "The ATT&CK techniques are\n"
    "those of the specs.\n\n"
    "*Time to alert* is from the act to the alert at a client, on the machine on which "
    "`KVMSENTRY_ALERT_TIMES` was last\n"
    "written, for the scenarios that run there; the lab's emulator tells no times.\n\n"
    "| attack | points | specs | ATT&CK | scenario | time to alert |\n"
    "| --- | --- | --- | --- | --- | --- |\n";

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
    for (const Spec* spec : SpecsOf(*named.scenario, library)) {
      points.insert(PointName(spec->point));
      techniques.insert(spec->mitre.begin(), spec->mitre.end());
      ids.push_back(absl::StrCat("`", spec->id, "`"));
    }
    const auto time = times.find(named.name);
    rows.emplace_back(named.scenario->attack(),
                      absl::StrCat(absl::StrJoin(points, ", "), " | ", absl::StrJoin(ids, ", "),
                                   " | ", absl::StrJoin(techniques, ", "), " | ", named.name, " | ",
                                   time == times.end() ? "-" : time->second));
  }
  std::ranges::sort(rows);
  std::string page = kAttacksBegin;
  for (const auto& [attack, rest] : rows) absl::StrAppend(&page, "| ", attack, " | ", rest, " |\n");
  return page;
}

}  // namespace kvmsentry
