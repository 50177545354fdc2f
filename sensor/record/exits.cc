#include "sensor/record/exits.h"

#include <algorithm>
#include <utility>

#include "bpf/exit_reason.h"
#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

std::optional<ExitSample> SampleOf(const ks_exit_row& row) {
  if (Load(row.exit_ns) == 0) return std::nullopt;
  ExitSample sample{.reason = Load(row.reason), .rip = {}, .cr3 = {}, .cpl = {}};
  const uint32_t known = Load(row.known);
  if ((known & KS_KNOWN_RIP) != 0) sample.rip = Load(row.rip);
  if ((known & KS_KNOWN_CR3) != 0) sample.cr3 = Load(row.cr3);
  if ((known & KS_KNOWN_CPL) != 0) sample.cpl = Load(row.cpl);
  return sample;
}

VcpuExits ExitsOf(const ks_vcpu_row& vcpu, const ks_exit_row& row) {
  VcpuExits exits{.vm = {Load(vcpu.vm_serial)},
                  .index = Load(vcpu.vcpu_index),
                  .by_reason = {},
                  .log2_ns = {},
                  .sample = SampleOf(row)};
  const uint32_t isa = Load(row.isa);
  for (uint32_t index = 0; index < KS_EXIT_REASONS; ++index) {
    const uint64_t count = Load(row.reasons[index]);
    if (count != 0) exits.by_reason[exit_member(isa, index)] = count;
  }
  for (const uint64_t& bucket : row.times) exits.log2_ns.push_back(Load(bucket));
  while (!exits.log2_ns.empty() && exits.log2_ns.back() == 0) exits.log2_ns.pop_back();
  return exits;
}

}  // namespace

std::vector<VcpuExits> ReadExits(std::span<const ks_vcpu_row> vcpus,
                                 std::span<const ks_exit_row> exits) {
  std::vector<VcpuExits> all;
  for (size_t slot = 0; slot < std::min(vcpus.size(), exits.size()); ++slot) {
    if (Load(vcpus[slot].vm_serial) == 0 || Load(exits[slot].isa) == 0) continue;
    VcpuExits read = ExitsOf(vcpus[slot], exits[slot]);
    // The row may have been freed, and be another VM's, since the reading began.
    if (Load(vcpus[slot].vm_serial) == read.vm.serial) all.push_back(std::move(read));
  }
  return all;
}

}  // namespace kvmsentry
