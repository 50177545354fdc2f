// From a VMM's process to the VM's name. Who starts a VMM chooses its command line, so a name is a
// hint for people and no proof of identity; see unique_names.h. The cgroup is the stronger witness:
// it takes privilege to choose it.
//
//   VMM               name                                                   uuid
//   qemu              -name, with libvirt, KubeVirt and Kata as without      -uuid
//   cloud-hypervisor  Kata's sandbox; else the stem of --api-socket's path;  --platform uuid=
//                     else the systemd unit that the cgroup is named after
//   firecracker       --id; else Kata's sandbox; else the stem of --api-sock
//   crosvm            --name; else the stem of --socket
//   any other         --name X, -name X or --name=X; else Kata's sandbox
//
// and else "vm-PID". KubeVirt names a domain NAMESPACE_VMI, Kata "sandbox-ID"; where Kata runs a
// VMM that is told no name, its name is made the same.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/inventory/process.h"

namespace kvmsentry {

// Texts are escaped and bounded.
struct VmNaming {
  std::string name;
  std::string uuid;     // canonical and in lower case; empty where the VMM was told none
  std::string vmm;      // "qemu", "cloud-hypervisor", "firecracker", "crosvm", "unknown"
  bool chosen = false;  // false: nothing told a name, and it is "vm-PID"
  friend bool operator==(const VmNaming&, const VmNaming&) = default;
};

// The path of the program that PROCESS runs, without the kernel's mark that its file was replaced.
// Empty for a kernel thread.
absl::string_view ProgramPath(const ProcessFacts& process);

// Pure.
VmNaming NameVm(const ProcessFacts& process);

// The naming of a VM of which only the number of its process is known.
VmNaming NameUnknownVm(int32_t pid);

// TEXT in lower case if it is a UUID of the form 8-4-4-4-12, else empty.
std::string CanonicalUuid(absl::string_view text);

}  // namespace kvmsentry
