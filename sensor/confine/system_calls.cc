#include "sensor/confine/system_calls.h"

#include <cerrno>
#include <memory>
#include <type_traits>

#include <seccomp.h>

namespace kvmsentry {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

absl::Status Filter(uint32_t otherwise, uint32_t action, std::initializer_list<const char*> names) {
  const std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release> filter(
      seccomp_init(otherwise));
  if (filter == nullptr) return absl::InternalError("seccomp: no filter can be made");
  for (const char* name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;
    if (const int error = seccomp_rule_add(filter.get(), action, number, 0); error != 0) {
      return absl::ErrnoToStatus(-error, absl::StrCat("seccomp: a rule for ", name));
    }
  }
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return absl::ErrnoToStatus(-error, "seccomp: loading the filter");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status AllowSystemCalls(std::initializer_list<const char*> allowed) {
  return Filter(SCMP_ACT_ERRNO(EPERM), SCMP_ACT_ALLOW, allowed);
}

absl::Status ForbidSystemCalls(std::initializer_list<const char*> forbidden) {
  return Filter(SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM), forbidden);
}

}  // namespace kvmsentry
