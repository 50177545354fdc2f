#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

Cell WatchedCell(const v1::VmStatus& vm) {
  if (!vm.watched()) return {absl::StrCat("no: ", vm.unwatched_reason()), Paint::kRed};
  return {vm.seen_from_birth() ? "from birth" : "partly", Paint::kPlain};
}

// A VM that is not watched has no score, no vCPUs and no time: missing is not zero.
std::string IfWatched(const v1::VmStatus& vm, std::string text) {
  return vm.watched() ? std::move(text) : "-";
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

// A level of the VM's, as TEXT makes it; what is not known is not zero.
template <typename Text>
std::string LevelText(const v1::VmStatus& vm, const Text& text,
                      std::initializer_list<const char*> features) {
  double sum = 0;
  bool known = false;
  for (const char* feature : features) {
    const auto level = vm.levels().find(feature);
    if (level == vm.levels().end()) continue;
    sum += level->second;
    known = true;
  }
  return known ? text(sum) : "-";
}

std::string RoundPercent(double value) { return absl::StrFormat("%.0f%%", value); }
std::string Cpus(double value) { return absl::StrFormat("%.2f", value); }
std::string Mebibytes(double value) { return absl::StrFormat("%.0f MiB", value); }
std::string BytesPerSecond(double value) {
  constexpr double kMega = 1e6;
  return value < kMega ? absl::StrFormat("%.0f kB/s", value / 1e3)
                       : absl::StrFormat("%.1f MB/s", value / kMega);
}

std::string FormatCounts(const v1::ListVmsResponse& response, const Style& style) {
  Table table({{"VM"}, {"FEATURE"}, {"COUNT", true}});
  for (const v1::VmStatus& vm : response.vms()) {
    const std::map<std::string, uint64_t> ordered(vm.counts().begin(), vm.counts().end());
    for (const auto& [feature, count] : ordered) {
      table.Add({{vm.vm().name()}, {feature}, {WithThousands(count)}});
    }
  }
  return table.Render(style);
}

}  // namespace

std::string FormatVms(const v1::ListVmsResponse& response, bool counts, const Style& style,
                      absl::TimeZone zone) {
  if (response.vms().empty()) return "no VMs\n";
  Table table({{"VM"},
               {"VMM"},
               {"PID", true},
               {"VCPUS", true},
               {"CPU", true},
               {"WAITS", true},
               {"MEMORY", true},
               {"DISK", true},
               {"NET", true},
               {"SCORE", true},
               {"OPEN", true},
               {"SINCE"},
               {"UUID"},
               {"WATCHED"}});
  for (const v1::VmStatus& vm : response.vms()) {
    const Paint hot = vm.open_alerts() > 0 ? Paint::kYellow : Paint::kPlain;
    const std::string since = absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(vm.first_seen()), zone);
    table.Add(
        {{vm.vm().name(), Paint::kBold},
         {OrDash(vm.vm().vmm())},
         {std::to_string(vm.vm().pid())},
         {IfWatched(vm, std::to_string(vm.vcpus()))},
         {LevelText(vm, Cpus, {"cpu.used"})},
         {LevelText(vm, RoundPercent, {"cpu.waiting"})},
         {LevelText(vm, Mebibytes, {"memory.resident", "memory.huge"})},
         {LevelText(vm, BytesPerSecond, {"disk.read.byte.rate", "disk.write.byte.rate"})},
         {LevelText(vm, BytesPerSecond, {"tap.from_guest.byte.rate", "tap.to_guest.byte.rate"})},
         {IfWatched(vm, ScoreText(vm.score())), hot},
         {IfWatched(vm, std::to_string(vm.open_alerts())), hot},
         {IfWatched(vm, since)},
         {OrDash(vm.vm().uuid())},
         WatchedCell(vm)});
  }
  std::string out = table.Render(style);
  if (counts) absl::StrAppend(&out, "\n", FormatCounts(response, style));
  return out;
}

}  // namespace kvmsentry
