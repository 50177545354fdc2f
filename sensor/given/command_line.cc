#include "sensor/given/command_line.h"

#include <span>

#include "absl/strings/str_cat.h"

#include "sensor/given/other_vmms.h"
#include "sensor/given/qemu.h"

namespace kvmsentry {
namespace {

Given Parse(std::span<const std::string> args, absl::string_view vmm) {
  if (vmm == "qemu") return GivenByQemu(args);
  if (vmm == "cloud-hypervisor") return GivenByCloudHypervisor(args);
  if (vmm == "firecracker") return GivenByFirecracker(args);
  if (vmm == "crosvm") return GivenByCrosvm(args);
  Given given;
  given.gaps.emplace_back("the command line: this VMM's is not known");
  return given;
}

}  // namespace

Given GivenByCommandLine(const ProcessFacts& process, absl::string_view vmm) {
  if (process.args.empty()) {
    Given given;
    given.gaps.emplace_back("the command line: it is empty");
    return given;
  }
  Given given = Parse(std::span(process.args).subspan(1), vmm);
  size_t bytes = 0;
  for (const std::string& arg : process.args) bytes += arg.size() + 1;
  if (bytes >= kMaxCommandLine) {
    given.gaps.push_back(
        absl::StrCat("the command line beyond its first ", kMaxCommandLine >> 10, " KiB"));
  }
  return given;
}

}  // namespace kvmsentry
