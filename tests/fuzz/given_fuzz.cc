// Command lines and files that VMMs and their users control, as libFuzzer makes them up. Arguments
// are separated by zero bytes, as in /proc/PID/cmdline.
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_split.h"

#include "sensor/given/command_line.h"
#include "sensor/given/facts.h"
#include "sensor/given/libvirt.h"
#include "sensor/given/other_vmms.h"
#include "sensor/given/process_files.h"
#include "sensor/given/shown_text.h"
#include "sensor/given/unix_sockets.h"

namespace kvmsentry {
namespace {

void CheckText(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) abort();
  }
}

// Nothing in it can command a terminal or a log.
void Check(const Given& given) {
  for (const GivenPart& part : PartsOf(given)) {
    CheckText(part.id);
    for (const NamedFact& fact : part.facts) {
      if (const auto* text = std::get_if<std::string>(&fact.value)) CheckText(*text);
      if (const auto* texts = std::get_if<std::vector<std::string>>(&fact.value)) {
        for (const std::string& each : *texts) CheckText(each);
      }
    }
  }
  for (const std::string& gap : given.gaps) CheckText(gap);
}

void Fuzz(absl::string_view input) {
  ProcessFacts process;
  process.args = absl::StrSplit(input, '\0');
  process.args.insert(process.args.begin(), "vmm");
  for (const char* vmm : {"qemu", "cloud-hypervisor", "firecracker", "crosvm"}) {
    Check(GivenByCommandLine(process, vmm));
  }
  Given given;
  AddFirecrackerConfig(input, &given);
  Check(given);
  if (const auto domain = ParseLibvirtDomain(input); domain.ok()) Check(domain->given);
  ParseUnixSockets(input);
  ParseRights(input);
  MountType(input, 1);
  CheckText(ShownText(input));
}

}  // namespace
}  // namespace kvmsentry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kvmsentry::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
