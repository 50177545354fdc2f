// The tables of the source resource, mapped into this process, and the pass that writes them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bpf/resource/records.h"
#include "sensor/base/status.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"
#include "sensor/probe/row_table.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// Has a program of the kernel's look at all VMs, or taps, once. Thread safe: it is but a
// descriptor.
class Pass {
 public:
  Pass() = default;
  Pass(int program, const MapSizes& sizes) : program_(program), sizes_(sizes) {}

  // NUMBER is not 0, and another each time. Takes some microseconds a VM.
  absl::Status Run(uint64_t number) const;

  int program() const { return program_; }

 private:
  int program_ = -1;  // owned by the probe
  MapSizes sizes_;
};

// An open file of a tap. Its address may be another's later.
struct TapFile {
  uint64_t address = 0;  // of its tun_file
  uint32_t ifindex = 0;  // 0: not known
  friend bool operator==(const TapFile&, const TapFile&) = default;
};

// Move-only. Not thread safe against itself; the kernel's program runs beside it.
class ResourceTables {
 public:
  static absl::StatusOr<ResourceTables> Open(const Probe& probe, SharedState& state);

  const ks_resource_losses& losses() const { return losses_.rows()[0]; }

  // What the latest pass found of VM; nullopt where it has found nothing yet, or is just writing.
  std::optional<ks_resource_vm> Vm(const VmPlace& vm) const;

  struct Vcpu {
    Slot slot;
    ks_resource_vcpu row;
  };
  // What the latest pass found of all vCPUs, in the order of slots.
  std::vector<Vcpu> Vcpus() const;

  // How often its VMM was chosen to be killed for want of memory, as of now.
  uint64_t OomVictims(const VmPlace& vm) const;

  // Its disks, as they are counted; nullptr where it has none.
  const ks_resource_disks* Disks(const VmPlace& vm) const;

  // TAPS and no others are VM's.
  void SetTaps(VmId vm, const std::vector<TapFile>& taps);
  bool HasTap(VmId vm, uint64_t tap) const;

  void Release(const VmPlace& vm);

 private:
  MappedRows<const ks_resource_losses> losses_;
  RowsInUse vms_used_;    // the source kvm's
  RowsInUse vcpus_used_;  // the same
  RowTable<ks_resource_vm> vms_;
  RowTable<ks_resource_vcpu> vcpus_;
  RowTable<ks_resource_disks> disks_;
  int tap_map_ = -1;  // owned by the probe
  std::map<VmId, std::vector<TapFile>> taps_;
};

}  // namespace kvmsentry
