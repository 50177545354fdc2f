#include "sensor/confine/capabilities.h"

#include <cerrno>
#include <memory>
#include <type_traits>

#include <sys/capability.h>
#include <sys/prctl.h>

namespace kvmsentry {
namespace {

struct Free {
  void operator()(void* capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Free>;

}  // namespace

absl::Status KeepCapabilities(std::span<const int> kept) {
  const Capabilities had(cap_get_proc());
  const Capabilities keeps(cap_init());
  if (had == nullptr || keeps == nullptr) return absl::ErrnoToStatus(errno, "reading capabilities");
  for (const cap_value_t capability : kept) {
    cap_flag_value_t has = CAP_CLEAR;
    if (cap_get_flag(had.get(), capability, CAP_PERMITTED, &has) != 0 || has == CAP_CLEAR) continue;
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
