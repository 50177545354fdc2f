// Why vCPUs left their guests, and for how long, from the kernel's rows. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/ids.h"

namespace kvmsentry {

// A vCPU's state at one of its exits, each as far as the host could know it.
struct ExitSample {
  uint32_t reason = 0;  // exit_member() of bpf/kvm/exit_reason.h
  std::optional<uint64_t> rip;
  std::optional<uint64_t> cr3;
  std::optional<uint32_t> cpl;
};

struct VcpuExits {
  VmId vm;
  uint32_t index = 0;                      // in the order of creation
  std::map<uint32_t, uint64_t> by_reason;  // by exit_member() of bpf/kvm/exit_reason.h
  // Of one exit in KS_EXIT_SAMPLE, the time until the next entry: element N counts those of 2^N ns
  // and more. Without trailing zeros.
  std::vector<uint64_t> log2_ns;
  std::optional<ExitSample> sample;  // the latest
};

// Of VCPU, whose exits are in ROW; nullopt where it has not left its guest. The kernel writes the
// rows at the same time: each count is right, but they are not of one instant.
std::optional<VcpuExits> ReadExits(const ks_vcpu_row& vcpu, const ks_exit_row& row);

}  // namespace kvmsentry
