// How much the host's own tasks wait for CPUs, memory and storage, all of them together: context
// for an alert about a VM, and nothing that a VM is blamed for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Of the latest ten seconds (Documentation/accounting/psi.rst, avg10).
struct HostPressure {
  std::string of;                      // "cpu", "memory", "io"
  double some_percent = 0;             // of the time some task waited
  std::optional<double> full_percent;  // all did; not known of all, on all kernels
};

// Of what the kernel tells: without pressure stall information none. PROC is where procfs is
// mounted. Reads three small files.
std::vector<HostPressure> ReadHostPressure(const std::string& proc = "/proc");

}  // namespace kvmsentry
