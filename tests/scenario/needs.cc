#include "tests/scenario/needs.h"

#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kvmsentry::scenario {
namespace {

constexpr char kInTheLab[] = "; the lab has it: tests/lab/run, or run_intel for VMX";

// Of the processor, by its name in /proc/cpuinfo.
bool HasFlag(absl::string_view wanted) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!absl::StartsWith(line, "flags")) continue;
    for (const absl::string_view flag : absl::StrSplit(line, ' ')) {
      if (flag == wanted) return true;
    }
    return false;
  }
  return false;
}

// KVM by hardware: the flags are those of the vendor modules
// (arch/x86/kernel/cpu). KVM without it, a software back end, raises no kvm_exit and runs no kernel
// that does not know it.
bool HardwareVirtualisation() { return HasFlag("svm") || HasFlag("vmx"); }

bool InPath(absl::string_view program) {
  const char* path = getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    if (access(absl::StrCat(folder, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string MissingForDebian() {
  if (!HardwareVirtualisation()) return "no svm or vmx in /proc/cpuinfo";
  for (const char* program : {"qemu-system-x86_64", "busybox", "cpio"}) {
    if (!InPath(program)) return absl::StrCat("no ", program, " in PATH");
  }
  if (GuestKernel().empty()) return "$KVMSENTRY_LAB_GUEST names no folder with vmlinux";
  return {};
}

// It is set up for the test, which no other host than the lab's is for.
std::string MissingForLibvirt() {
  if (GuestKernel().empty()) return "$KVMSENTRY_LAB_GUEST names no folder with vmlinux";
  for (const char* program : {"libvirtd", "virsh", "qemu-system-x86_64"}) {
    if (!InPath(program)) return absl::StrCat("no ", program, " in PATH");
  }
  return {};
}

std::string MissingLivePatch() {
  const char* folder = getenv("KVMSENTRY_LAB_KERNEL");
  const std::string patch = absl::StrCat(folder == nullptr ? "" : folder, "/livepatch.ko");
  return access(patch.c_str(), R_OK) == 0 ? "" : "$KVMSENTRY_LAB_KERNEL has no livepatch.ko";
}

std::string MissingFile(const char* path) {
  return access(path, R_OK | W_OK) == 0 ? "" : absl::StrCat("no ", path);
}

std::string What(Need need) {
  switch (need) {
    case KVM_EXIT:
      return HardwareVirtualisation() ? "" : "no svm or vmx in /proc/cpuinfo, so no kvm_exit";
    case VMX:
      return HasFlag("vmx") ? "" : "no vmx in /proc/cpuinfo";
    case VHOST_NET:
      return MissingFile("/dev/vhost-net");
    case VHOST_VSOCK:
      return MissingFile("/dev/vhost-vsock");
    case TAP:
      return MissingFile("/dev/net/tun");
    case LIBVIRT:
      return MissingForLibvirt();
    case LIVE_PATCH:
      return MissingLivePatch();
    case VFIO:
      return MissingFile("/sys/bus/pci/drivers/vfio-pci");
    case DEBIAN_GUEST:
      return MissingForDebian();
    default:
      return "an unknown need";
  }
}

}  // namespace

std::string Missing(Need need) {
  const std::string what = What(need);
  return what.empty() ? "" : absl::StrCat("needs ", Need_Name(need), ": ", what, kInTheLab);
}

std::string GuestKernel() {
  const char* folder = getenv("KVMSENTRY_LAB_GUEST");
  if (folder == nullptr || access(absl::StrCat(folder, "/vmlinux").c_str(), R_OK) != 0) return {};
  return folder;
}

}  // namespace kvmsentry::scenario
