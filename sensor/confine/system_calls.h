// Which system calls a process can still make (seccomp(2)).
#pragma once

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

struct scmp_arg_cmp;

namespace kvmsentry {

// A filter in the making. Each system call is given by its name; one that this machine, or the
// libseccomp of the build, does not know is passed over. The first error is kept for Load().
class SystemCallFilter {
 public:
  enum class Otherwise { kAllowed, kRefused };
  // What becomes of the system calls that no rule names. Refused ones fail with EPERM.
  explicit SystemCallFilter(Otherwise otherwise);
  ~SystemCallFilter();
  SystemCallFilter(const SystemCallFilter&) = delete;
  SystemCallFilter& operator=(const SystemCallFilter&) = delete;

  // NAMES, separated by white space, are what the others are not: refused, or allowed.
  void Add(absl::string_view names);
  // NAME is refused where its argument number ARGUMENT, masked by MASK, is VALUE.
  void RefuseWhere(absl::string_view name, unsigned argument, uint64_t mask, uint64_t value);
  // NAME is refused where its argument number ARGUMENT, of 32 bits, is at least VALUE.
  void RefuseFrom(absl::string_view name, unsigned argument, uint32_t value);
  // NAME fails with ENOSYS, as on a kernel before it, so that callers do without.
  void Deny(absl::string_view name);

  // The calling thread and those that it makes are under the filter from here on. Wants
  // no_new_privs.
  absl::Status Load();

 private:
  void AddRule(uint32_t action, absl::string_view name, std::span<const scmp_arg_cmp> where);

  void* filter_;
  uint32_t action_;  // of a name in Add()
  absl::Status status_;
};

}  // namespace kvmsentry
