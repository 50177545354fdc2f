#include "sensor/source/kvm/exits.h"

#include "bpf/kvm/exit_reason.h"
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

}  // namespace

std::optional<VcpuExits> ReadExits(const ks_vcpu_row& vcpu, const ks_exit_row& row) {
  if (Load(vcpu.vm_serial) == 0 || Load(row.isa) == 0) return std::nullopt;
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

}  // namespace kvmsentry
