#include "tests/support/host.h"

#include <cstdlib>

#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kvmsentry {

std::string MissingForBpf(absl::string_view label) {
  const std::string leave_out = absl::StrCat(", or leave these tests out: ctest -LE ", label);
  if (geteuid() != 0) return absl::StrCat("not root: run as root", leave_out);
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    return "no /sys/kernel/btf/vmlinux: boot a kernel with CONFIG_DEBUG_INFO_BTF";
  }
  struct statfs info {};
  if (statfs("/sys/fs/bpf", &info) != 0 || info.f_type != BPF_FS_MAGIC) {
    return "no bpffs: mount -t bpf bpf /sys/fs/bpf";
  }
  return {};
}

bool IsLab() { return getenv("KVMSENTRY_LAB_KERNEL") != nullptr; }

bool KernelPreemptsPrograms() {
  utsname names{};
  int major = 0;
  if (uname(&names) != 0) return false;
  const absl::string_view release = names.release;
  return absl::SimpleAtoi(release.substr(0, release.find('.')), &major) && major >= 7;
}

absl::Status HasKvm() {
  if (access("/dev/kvm", R_OK | W_OK) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "no /dev/kvm: load kvm_intel or kvm_amd, or have the tests with guests run in the lab: "
      "tests/run.sh all --without-kvm");
}

}  // namespace kvmsentry
