#include "sensor/inventory/host.h"

#include <fcntl.h>

#include "absl/strings/ascii.h"

#include "sensor/base/escape.h"
#include "sensor/inventory/files.h"
#include "sensor/inventory/naming.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxBytes = 1024;

std::string FirstLine(const std::string& path) {
  const auto content = ReadFileAt(AT_FDCWD, path, kMaxBytes);
  if (!content.ok()) return "";
  return content->substr(0, content->find('\n'));
}

bool IsMachineId(const std::string& text) {
  if (text.size() != 32) return false;
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

}  // namespace

HostFacts ReadHostFacts(const std::string& root) {
  HostFacts facts;
  // The same strings as uname(2)'s, of the UTS namespace of the caller.
  facts.node = Escape(FirstLine(root + "/proc/sys/kernel/hostname"));
  facts.kernel_release = Escape(FirstLine(root + "/proc/sys/kernel/osrelease"));
  facts.boot_id = CanonicalUuid(FirstLine(root + "/proc/sys/kernel/random/boot_id"));
  // machine-id(5): "uninitialized" until the first boot has finished.
  if (const std::string id = FirstLine(root + "/etc/machine-id"); IsMachineId(id)) {
    facts.machine_id = absl::AsciiStrToLower(id);
  }
  return facts;
}

}  // namespace kvmsentry
