#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

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
  if (device.kind() == v1::Device::DISK && !device.writable()) remarks.emplace_back("read only");
  if (device.files() > 1) remarks.push_back(absl::StrCat("open ", device.files(), " times"));
  if (device.shared_by_process()) {
    remarks.emplace_back("of the VMs of this process; counts as the oldest one's");
  }
  return absl::StrJoin(remarks, "; ");
}

}  // namespace

std::string FormatDevices(const std::vector<v1::VmStatus>& vms, const Look& look) {
  Table table({{"VM", false, true},
               {"DEVICE"},
               {"NAME", false, true},
               {"NUMBER"},
               {"PID", true},
               {"FD", true},
               {"REMARK", false, true}});
  std::string left_out;
  bool any = false;
  for (const v1::VmStatus& vm : vms) {
    for (const v1::Device& device : vm.devices()) {
      any = true;
      table.Add({{vm.vm().name()},
                 {KindText(device.kind())},
                 {device.name().empty() ? "-" : device.name()},
                 {NumberText(device)},
                 {std::to_string(device.pid())},
                 {std::to_string(device.fd())},
                 {RemarkOf(device)}});
    }
    if (vm.devices_left_out() > 0) {
      absl::StrAppend(&left_out, look.style(Paint::kPlain, vm.vm().name()), " has ",
                      WithThousands(vm.devices_left_out()), " more\n");
    }
  }
  if (!any)
    return "\nno devices: no VM has one, or this kernel reports none, see kvmsentry status\n";
  return absl::StrCat("\n", table.RenderFit(look.style, look.width), left_out);
}

}  // namespace kvmsentry
