// The counters of VMs and their vCPUs, once a tick. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/ids.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// What a VM has counted, over all its vCPUs, those gone included. Never goes back.
struct KvmCounts {
  VmId vm;
  Slot slot = 0;
  uint64_t count[KS_KVM_METERS] = {};
  // Of each meter, what the latest occurrence named on the vCPU that looked at its limits last: the
  // busier a vCPU is, the more often it looks.
  uint64_t last[KS_KVM_METERS] = {};
  uint32_t vcpus = 0;
  // Asked of the row: the walk may know a VM before its first vCPU, its birth, does.
  bool born_seen = false;
  bool incomplete = false;  // a vCPU of it found no slot
};

// Those of all VMs, as of one look.
class KvmTally final : public SourceCounts {
 public:
  KvmTally() = default;
  explicit KvmTally(std::vector<KvmCounts> vms) : vms_(std::move(vms)) {}

  std::span<const KvmCounts> vms() const { return vms_; }  // in the order of slots
  const KvmCounts* Find(const VmPlace& vm) const;          // nullptr: it is not there
  void Show(const VmPlace& vm, VmDetails* details) const override;

 private:
  std::vector<KvmCounts> vms_;
};

// Adds rows up for every VM that is alive or was just replaced. The kernel writes the rows at the
// same time: each count is right, but they are not of one instant.
class KvmCounter {
 public:
  // Of about so many VMs.
  explicit KvmCounter(size_t expected) {
    counts_.reserve(expected);
    latest_.reserve(expected);
  }
  void AddVm(const ks_vm_row& row);      // in the order of slots
  void AddVcpu(const ks_vcpu_row& row);  // after all VMs
  std::vector<KvmCounts> Take() { return std::move(counts_); }

 private:
  std::vector<KvmCounts> counts_;
  using Times = std::array<uint64_t, KS_METERS_OF_VCPU>;
  std::vector<Times> latest_;  // of each VM, when each meter's `last` was looked at
};

// The counts of ranges of rows, both in the order of slots; of about EXPECTED VMs.
template <typename Vms, typename Vcpus>
std::vector<KvmCounts> ReadKvmCounts(const Vms& vms, const Vcpus& vcpus, size_t expected = 0) {
  KvmCounter counter(expected);
  for (const ks_vm_row& row : vms) counter.AddVm(row);
  for (const ks_vcpu_row& row : vcpus) counter.AddVcpu(row);
  return counter.Take();
}

}  // namespace kvmsentry
