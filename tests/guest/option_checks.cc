#include "tests/guest/option_checks.h"

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

#include "tests/guest/layout.h"

namespace kvmsentry::guest {
namespace {

absl::Status Refused(absl::string_view message) { return absl::InvalidArgumentError(message); }

absl::Status CheckPio(const Options& options) {
  constexpr uint32_t kPorts = 0x10000;
  const Workload& workload = options.workload;
  if (workload.width != 1 && workload.width != 2 && workload.width != 4) {
    return Refused("--width of pio is 1, 2 or 4");
  }
  if (workload.port + workload.width > kPorts) return Refused("--port and --width pass 0xffff");
  if (workload.rep > kPageSize / workload.width) {
    return Refused("--rep elements of --width bytes take more than a page");
  }
  if (options.count % OperationsPerInstruction(workload) != 0) {
    return Refused("--count is not a multiple of --rep");
  }
  return absl::OkStatus();
}

absl::Status CheckSweep(const Workload& workload) {
  const bool pio = workload.behaviour == Behaviour::kPio;
  const uint64_t end = pio ? uint64_t{1} << 16 : uint64_t{1} << 32;
  const uint64_t first = pio ? workload.port : workload.msr;
  if (first + workload.sweep > end) return Refused("--sweep passes the last port or MSR");
  if (workload.sweep == 1) return absl::OkStatus();
  if (!workload.write || (pio && (workload.width != 1 || workload.rep > 0))) {
    return Refused("--sweep writes, to ports single bytes");
  }
  return absl::OkStatus();
}

absl::Status CheckMmio(const Options& options) {
  constexpr uint32_t kAddressBits = 47;  // the lower half of the address space, mapped one to one
  const Workload& workload = options.workload;
  if (workload.width != 1 && workload.width != 2 && workload.width != 4 && workload.width != 8) {
    return Refused("--width of mmio is 1, 2, 4 or 8");
  }
  if (workload.gpa % workload.width != 0) return Refused("--gpa is not a multiple of --width");
  if (workload.gpa < options.memory_kib * 1024) return Refused("--gpa lies inside --memory-kib");
  if (workload.gpa >> kAddressBits != 0) return Refused("--gpa does not fit 47 bits");
  constexpr uint64_t kMapped = uint64_t{1} << 21;
  if (workload.gpa % kMapped + workload.pages * kPageSize > kMapped) {
    return Refused("--pages from --gpa on pass a boundary of 2 MiB");
  }
  if (workload.pages > 1 && (!workload.write || workload.width != 1)) {
    return Refused("--pages are written to, one byte each");
  }
  return absl::OkStatus();
}

absl::Status CheckMemory(const Options& options) {
  const uint64_t minimum = MinimumMemory(options.vcpus) / 1024;
  const uint64_t maximum = kMaximumMemory / 1024;
  if (options.memory_kib < minimum || options.memory_kib > maximum) {
    return Refused(absl::StrFormat("--memory-kib of %u vCPUs is between %u and %u", options.vcpus,
                                   minimum, maximum));
  }
  if (options.memory_kib % (kPageSize / 1024) != 0) {
    return Refused("--memory-kib is not a multiple of 4");
  }
  if (!options.workload.memory_file.empty() && options.vms != 1) {
    return Refused("--memory-file is of one VM");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCombination(const Options& options) {
  const Workload& workload = options.workload;
  const Behaviour behaviour = workload.behaviour;
  if (absl::Status status = CheckMemory(options); !status.ok()) return status;
  if (options.then == Then::kExit && options.count == 0) {
    return Refused("--then exit needs a --count");
  }
  if (behaviour == Behaviour::kPio) {
    if (absl::Status status = CheckPio(options); !status.ok()) return status;
  }
  if (behaviour == Behaviour::kPio || behaviour == Behaviour::kMsr) {
    if (absl::Status status = CheckSweep(options.workload); !status.ok()) return status;
  }
  if (LeavesMemory(behaviour)) {
    if (absl::Status status = CheckMmio(options); !status.ok()) return status;
  }
  if (RaisesSmis(behaviour) && (options.vcpus != 1 || options.memory_kib * 1024 < kSmmEnd)) {
    return Refused("smi is of one vCPU, with --memory-kib 256 or more");
  }
  if (behaviour == Behaviour::kDirty &&
      kPagesAddress + workload.pages * kPageSize > options.memory_kib * 1024) {
    return Refused("--pages from 2 MiB on do not fit --memory-kib");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry::guest
