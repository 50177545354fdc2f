#include "sensor/confine/capabilities.h"

#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <sys/capability.h>
#include <sys/prctl.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {
namespace {

struct Free {
  void operator()(void* capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Free>;

bool Has(const Capabilities& capabilities, cap_value_t capability) {
  cap_flag_value_t has = CAP_CLEAR;
  return cap_get_flag(capabilities.get(), capability, CAP_PERMITTED, &has) == 0 && has == CAP_SET;
}

// "CAP_BPF"
std::string NameOf(cap_value_t capability) {
  const std::unique_ptr<char, Free> name(cap_to_name(capability));
  return name == nullptr ? absl::StrCat("capability ", capability)
                         : absl::AsciiStrToUpper(name.get());
}

}  // namespace

absl::Status CheckCapabilities(std::span<const int> needed) {
  const Capabilities had(cap_get_proc());
  if (had == nullptr) return absl::ErrnoToStatus(errno, "reading capabilities");
  std::vector<std::string> missing;
  for (const cap_value_t capability : needed) {
    if (!Has(had, capability)) missing.push_back(NameOf(capability));
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      absl::StrJoin(missing, ", "), missing.size() == 1 ? " is missing" : " are missing",
      "; start kvmsentry.service, run kvmsentryd as root, or add to the container's capabilities"));
}

absl::Status KeepCapabilities(std::span<const int> kept) {
  const Capabilities had(cap_get_proc());
  const Capabilities keeps(cap_init());
  if (had == nullptr || keeps == nullptr) return absl::ErrnoToStatus(errno, "reading capabilities");
  for (const cap_value_t capability : kept) {
    if (!Has(had, capability)) continue;
    cap_set_flag(keeps.get(), CAP_PERMITTED, 1, &capability, CAP_SET);
    cap_set_flag(keeps.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
      cap_set_proc(keeps.get()) != 0) {
    return absl::ErrnoToStatus(errno, "giving up capabilities");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
