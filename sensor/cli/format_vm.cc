#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/format.h"
#include "sensor/cli/format_alert.h"
#include "sensor/cli/format_vm_cells.h"
#include "sensor/cli/vm_facts.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

constexpr size_t kLabel = 10;
constexpr size_t kRatesShown = 8;

class Lines {
 public:
  explicit Lines(const Look& look) : look_(look) {}
  void Add(absl::string_view label, absl::string_view text) {
    if (text.empty()) return;
    Cell cell{std::string(label), Paint::kDim};
    const size_t room = look_.wide() ? kAnyWidth : look_.width - kLabel;
    for (const std::string& line : WrapTo(text, room, 12)) {
      absl::StrAppend(&out_, Padded(look_.style, cell, kLabel), look_.style(Paint::kPlain, line),
                      "\n");
      cell = {};
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  const Look& look_;
  std::string out_;
};

std::string DeviceText(const v1::Device& device) {
  const std::string kind = absl::AsciiStrToLower(
      absl::StrReplaceAll(v1::Device::Kind_Name(device.kind()), {{"_", "-"}}));
  if (device.name().empty() || device.name() == kind) return kind;
  return absl::StrCat(
      kind, " ", device.name(),
      device.kind() == v1::Device::DISK && !device.writable() ? " (read only)" : "");
}

std::string WatchedText(const v1::VmStatus& vm, const Look& look) {
  if (!vm.watched()) return absl::StrCat("no: ", vm.unwatched_reason());
  const absl::Time first = ToTime(vm.first_seen());
  const char* how = vm.seen_from_birth() ? "from birth" : "in part, not from birth";
  if (vm.exited()) how = "what its processes do, which live on though it has exited";
  return absl::StrCat(how, ", since ", absl::FormatTime("%Y-%m-%d %H:%M:%S", first, look.zone),
                      " (", AgeText(look.now - first), ")");
}

}  // namespace

std::string FormatVm(const v1::VmStatus& vm, const std::vector<v1::Alert>& open, const Look& look) {
  const Cell state = StateCell(vm);
  std::string out = absl::StrCat(look.style(Paint::kBold, vm.vm().name()), "  ",
                                 look.style(state.paint, state.text));
  if (vm.watched()) {
    absl::StrAppend(&out, "  score ", ScoreText(vm.score()), ", ", ToText(CountOpen(open)));
  }
  out.push_back('\n');
  Lines lines(look);
  if (vm.vm().given_name() != vm.vm().name()) lines.Add("called", vm.vm().given_name());
  lines.Add("watched", WatchedText(vm, look));
  lines.Add("vmm", absl::StrCat(OrDash(vm.vm().vmm()), ", pid ", vm.vm().pid(),
                                vm.vm().uuid().empty() ? "" : ", uuid ", vm.vm().uuid()));
  lines.Add("cgroup", vm.vm().cgroup());
  if (vm.watched()) {
    lines.Add("CPU", absl::StrCat(Counted(vm.vcpus(), "vCPU"), ", ", CpusText(vm),
                                  " CPUs used, waiting ", WaitsText(vm)));
    lines.Add("memory", MemoryText(vm));
    lines.Add("traffic",
              absl::StrCat("disk ", FlowText(DiskOf(vm)), ", net ", FlowText(NetOf(vm))));
  }
  std::vector<std::string> rates;
  for (const auto& [feature, rate] : LeadingRates(vm, kRatesShown)) {
    rates.push_back(absl::StrCat(absl::StripSuffix(feature, ".rate"), " ", RateText(rate)));
  }
  lines.Add("rates", absl::StrJoin(rates, ", "));
  std::vector<std::string> devices;
  for (const v1::Device& device : vm.devices()) devices.push_back(DeviceText(device));
  if (vm.devices_left_out() > 0) {
    devices.push_back(absl::StrCat(vm.devices_left_out(), " more"));
  }
  lines.Add("devices", absl::StrJoin(devices, ", "));
  absl::StrAppend(&out, lines.Take());
  if (open.empty()) return out;
  out.push_back('\n');
  const AlertColumns columns = ColumnsFor(open, look);
  for (const v1::Alert& alert : open) absl::StrAppend(&out, FormatAlert(alert, columns, look));
  return out;
}

}  // namespace kvmsentry
