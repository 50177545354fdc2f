#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

Cell WatchedCell(const v1::VmStatus& vm) {
  if (!vm.watched()) return {absl::StrCat("no: ", vm.unwatched_reason()), Paint::kRed};
  return {vm.seen_from_birth() ? "from birth" : "from later on", Paint::kPlain};
}

// A VM that is not watched has no score, no vCPUs and no time: missing is not zero.
std::string IfWatched(const v1::VmStatus& vm, std::string text) {
  return vm.watched() ? std::move(text) : "-";
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string FormatCounts(const v1::ListVmsResponse& response, const Style& style) {
  Table table({{"VM"}, {"FEATURE"}, {"COUNT", true}});
  for (const v1::VmStatus& vm : response.vms()) {
    const std::map<std::string, uint64_t> ordered(vm.counts().begin(), vm.counts().end());
    for (const auto& [feature, count] : ordered) {
      table.Add({{vm.vm().name()}, {feature}, {Grouped(count)}});
    }
  }
  return table.Render(style);
}

std::string KindText(v1::Device::Kind kind) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(v1::Device::Kind_Name(kind), {{"_", "-"}}));
}

// "8:1 inode 42", "7:0".
std::string NumberText(const v1::Device& device) {
  std::string text = absl::StrCat(device.major(), ":", device.minor());
  if (device.inode() != 0) absl::StrAppend(&text, " inode ", device.inode());
  return text;
}

std::string RemarkOf(const v1::Device& device) {
  std::vector<std::string> remarks;
  if (device.kind() == v1::Device::DISK && !device.writable()) remarks.push_back("read only");
  if (device.files() > 1) remarks.push_back(absl::StrCat("open ", device.files(), " times"));
  if (device.shared_by_process()) {
    remarks.push_back("of one of the VMs of this process, which is not known");
  }
  return absl::StrJoin(remarks, "; ");
}

std::string FormatDevices(const v1::ListVmsResponse& response, const Style& style) {
  Table table({{"VM"}, {"DEVICE"}, {"NAME"}, {"NUMBER"}, {"PID", true}, {"FD", true}, {"REMARK"}});
  std::string left_out;
  for (const v1::VmStatus& vm : response.vms()) {
    for (const v1::Device& device : vm.devices()) {
      table.Add({{vm.vm().name()},
                 {KindText(device.kind())},
                 {OrDash(device.name())},
                 {NumberText(device)},
                 {std::to_string(device.pid())},
                 {std::to_string(device.fd())},
                 {RemarkOf(device)}});
    }
    if (vm.devices_left_out() > 0) {
      absl::StrAppend(&left_out, style(Paint::kPlain, vm.vm().name()), " has ",
                      Grouped(vm.devices_left_out()), " more\n");
    }
  }
  return absl::StrCat(table.Render(style), left_out);
}

}  // namespace

std::string FormatVms(const v1::ListVmsResponse& response, VmTables tables, const Style& style,
                      absl::TimeZone zone) {
  if (response.vms().empty()) return "no VMs\n";
  Table table({{"VM"},
               {"VMM"},
               {"PID", true},
               {"VCPUS", true},
               {"SCORE", true},
               {"OPEN", true},
               {"SINCE"},
               {"UUID"},
               {"WATCHED"}});
  for (const v1::VmStatus& vm : response.vms()) {
    const Paint hot = vm.open_alerts() > 0 ? Paint::kYellow : Paint::kPlain;
    const std::string since = absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(vm.first_seen()), zone);
    table.Add({{vm.vm().name(), Paint::kBold},
               {OrDash(vm.vm().vmm())},
               {std::to_string(vm.vm().pid())},
               {IfWatched(vm, std::to_string(vm.vcpus()))},
               {IfWatched(vm, ScoreText(vm.score())), hot},
               {IfWatched(vm, std::to_string(vm.open_alerts())), hot},
               {IfWatched(vm, since)},
               {OrDash(vm.vm().uuid())},
               WatchedCell(vm)});
  }
  std::string out = table.Render(style);
  if (tables.counts) absl::StrAppend(&out, "\n", FormatCounts(response, style));
  if (tables.devices) absl::StrAppend(&out, "\n", FormatDevices(response, style));
  return out;
}

}  // namespace kvmsentry
