#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/format_vm_cells.h"
#include "sensor/cli/table.h"
#include "sensor/cli/vm_facts.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// "4 of which 1 is silenced" must fit: "3+1s".
std::string OpenText(const v1::VmStatus& vm) {
  const uint32_t heard = vm.open_alerts() - std::min(vm.open_alerts(), vm.silenced_alerts());
  return vm.silenced_alerts() == 0 ? absl::StrCat(heard)
                                   : absl::StrCat(heard, "+", vm.silenced_alerts(), "s");
}

// "pio 41.7k/s"
std::string LeadingText(const v1::VmStatus& vm, size_t most) {
  std::vector<std::string> texts;
  for (const auto& [feature, rate] : LeadingRates(vm, most)) {
    texts.push_back(absl::StrCat(absl::StripSuffix(feature, ".rate"), " ", RateText(rate)));
  }
  return OrDash(absl::StrJoin(texts, ", "));
}

std::string FormatNarrow(const std::vector<v1::VmStatus>& vms, const Look& look) {
  Table table({{"VM", false, true},
               {"STATE"},
               {"SCORE", true},
               {"OPEN", true},
               {"CPU", true},
               {"LEADING RATE", false, true},
               {"AGE", true},
               {"TOP ALERT", false, true}});
  for (const v1::VmStatus& vm : vms) {
    const Cell state = StateCell(vm);
    table.Add({{vm.vm().name(), Paint::kBold},
               state,
               {IfWatched(vm, ScoreText(vm.score())), state.paint},
               {IfWatched(vm, OpenText(vm)), state.paint},
               {CpusText(vm)},
               {LeadingText(vm, 1)},
               {IfWatched(vm, AgeText(look.now - ToTime(vm.first_seen())))},
               {OrDash(vm.worst_spec())}});
  }
  return table.RenderFit(look.style, look.width);
}

std::string FormatWide(const std::vector<v1::VmStatus>& vms, const Look& look) {
  Table table({{"VM"},
               {"STATE"},
               {"SCORE", true},
               {"OPEN", true},
               {"TOP ALERT"},
               {"VCPUS", true},
               {"CPU", true},
               {"WAITS", true},
               {"MEMORY", true},
               {"DISK", true},
               {"NET", true},
               {"LEADING RATES"},
               {"SINCE"},
               {"VMM"},
               {"PID", true},
               {"UUID"}});
  for (const v1::VmStatus& vm : vms) {
    const Cell state = StateCell(vm);
    const std::string since =
        absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(vm.first_seen()), look.zone);
    table.Add({{vm.vm().name(), Paint::kBold},
               state,
               {IfWatched(vm, ScoreText(vm.score())), state.paint},
               {IfWatched(vm, OpenText(vm)), state.paint},
               {OrDash(vm.worst_spec())},
               {IfWatched(vm, absl::StrCat(vm.vcpus()))},
               {CpusText(vm)},
               {WaitsText(vm)},
               {MemoryText(vm)},
               {FlowText(DiskOf(vm))},
               {FlowText(NetOf(vm))},
               {LeadingText(vm, 3)},
               {IfWatched(vm, since)},
               {OrDash(vm.vm().vmm())},
               {absl::StrCat(vm.vm().pid())},
               {OrDash(vm.vm().uuid())}});
  }
  return table.Render(look.style);
}

// What no column has room for.
std::string Remarks(const std::vector<v1::VmStatus>& vms, const Style& style) {
  std::string out;
  for (const v1::VmStatus& vm : vms) {
    if (vm.exited()) {
      absl::StrAppend(&out, vm.vm().name(),
                      " has ended, but its VMM or children of it go on: ", "kvmsentry members ",
                      vm.vm().name(), " vmm.survivor\n");
    }
    if (vm.watched()) continue;
    absl::StrAppend(&out,
                    style(Paint::kRed,
                          absl::StrCat(vm.vm().name(), " is not watched: ", vm.unwatched_reason())),
                    "\n");
  }
  return out;
}

}  // namespace

Cell StateCell(const v1::VmStatus& vm) {
  if (!vm.watched()) return {"UNSEEN", Paint::kRed};
  if (vm.worst_severity() != v1::SEVERITY_UNSPECIFIED) {
    return {v1::Severity_Name(vm.worst_severity()), PaintOf(vm.worst_severity())};
  }
  if (vm.silenced_alerts() > 0) return {"silenced", Paint::kDim};
  return vm.exited() ? Cell{"exited", Paint::kDim} : Cell{"ok", Paint::kPlain};
}

std::string IfWatched(const v1::VmStatus& vm, std::string text) {
  return vm.watched() ? std::move(text) : "-";
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string CpusText(const v1::VmStatus& vm) {
  const auto cpus = CpusOf(vm);
  return cpus ? absl::StrFormat("%.2f", *cpus) : "-";
}

std::string WaitsText(const v1::VmStatus& vm) {
  const auto waits = LevelOf(vm, {"cpu.waiting"});
  return waits ? absl::StrFormat("%.0f%%", *waits) : "-";
}

std::string MemoryText(const v1::VmStatus& vm) {
  const auto memory = MemoryOf(vm);
  return memory ? absl::StrFormat("%.0f MiB", *memory) : "-";
}

std::string FlowText(std::optional<double> bytes_per_second) {
  return bytes_per_second ? BytesPerSecond(*bytes_per_second) : "-";
}

std::string FormatVms(const std::vector<v1::VmStatus>& vms, const Look& look) {
  if (vms.empty()) return "no VMs\n";
  return absl::StrCat(look.wide() ? FormatWide(vms, look) : FormatNarrow(vms, look),
                      Remarks(vms, look.style));
}

std::string FormatCounts(const std::vector<v1::VmStatus>& vms, const Style& style) {
  Table table({{"VM"}, {"FEATURE"}, {"COUNT", true}, {"NOW", true}});
  for (const v1::VmStatus& vm : vms) {
    const std::map<std::string, uint64_t> ordered(vm.counts().begin(), vm.counts().end());
    for (const auto& [feature, count] : ordered) {
      const auto rate = vm.rates().find(feature);
      table.Add({{vm.vm().name()},
                 {feature},
                 {WithThousands(count)},
                 {rate == vm.rates().end() ? "-" : RateText(rate->second)}});
    }
  }
  return absl::StrCat("\n", table.Render(style));
}

}  // namespace kvmsentry
