#include "sensor/confine/system_calls.h"

#include <cerrno>
#include <string>

#include <seccomp.h>

#include "absl/strings/str_split.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);

}  // namespace

SystemCallFilter::SystemCallFilter(Otherwise otherwise)
    : filter_(seccomp_init(otherwise == Otherwise::kAllowed ? SCMP_ACT_ALLOW : kRefuse)),
      action_(otherwise == Otherwise::kAllowed ? kRefuse : SCMP_ACT_ALLOW) {
  if (filter_ == nullptr) status_ = absl::InternalError("seccomp: no filter can be made");
}

SystemCallFilter::~SystemCallFilter() {
  if (filter_ != nullptr) seccomp_release(filter_);
}

void SystemCallFilter::AddRule(uint32_t action, absl::string_view name,
                               std::span<const scmp_arg_cmp> where) {
  const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
  if (!status_.ok() || number == __NR_SCMP_ERROR) return;
  const int error = seccomp_rule_add_array(filter_, action, number,
                                           static_cast<unsigned>(where.size()), where.data());
  if (error != 0) status_ = absl::ErrnoToStatus(-error, absl::StrCat("seccomp: a rule for ", name));
}

void SystemCallFilter::Add(absl::string_view names) {
  for (const absl::string_view name :
       absl::StrSplit(names, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    AddRule(action_, name, {});
  }
}

void SystemCallFilter::RefuseWhere(absl::string_view name, unsigned argument, uint64_t mask,
                                   uint64_t value) {
  const scmp_arg_cmp where{argument, SCMP_CMP_MASKED_EQ, mask, value};
  AddRule(kRefuse, name, {&where, 1});
}

void SystemCallFilter::RefuseFrom(absl::string_view name, unsigned argument, uint32_t value) {
  const scmp_arg_cmp where{argument, SCMP_CMP_GE, value, 0};
  AddRule(kRefuse, name, {&where, 1});
}

void SystemCallFilter::Deny(absl::string_view name) { AddRule(SCMP_ACT_ERRNO(ENOSYS), name, {}); }

absl::Status SystemCallFilter::Load() {
  KVMSENTRY_RETURN_IF_ERROR(status_);
  const int error = seccomp_load(filter_);
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(-error, "seccomp: loading the filter");
}

}  // namespace kvmsentry
