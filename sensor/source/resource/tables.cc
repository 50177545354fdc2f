#include "sensor/source/resource/tables.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

// The row as it is between two passes.
template <typename Row>
std::optional<Row> Settled(const Row& row) {
  const uint64_t ended = __atomic_load_n(&row.ended, __ATOMIC_ACQUIRE);
  const Row copy = LoadAll(row);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (ended == 0 || Load(row.begun) != ended) return std::nullopt;
  return copy;
}

uint64_t Words(uint32_t rows) { return (rows + 63) / 64; }

}  // namespace

absl::Status Pass::Run(uint64_t number) const {
  if (program_ < 0) return absl::FailedPreconditionError("the pass over VMs is not loaded");
  const auto cpus = static_cast<uint64_t>(libbpf_num_possible_cpus());
  ks_pass pass = {.number = number,
                  .vm_words = Words(sizes_.max_vms),
                  .vcpu_words = Words(sizes_.max_vcpus),
                  .cpus = cpus};
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.ctx_in = &pass;
  options.ctx_size_in = sizeof(pass);
  if (bpf_prog_test_run_opts(program_, &options) != 0) {
    return absl::ErrnoToStatus(errno, "running the pass over VMs");
  }
  if (options.retval != 0) {
    return absl::InternalError(absl::StrCat("the pass over VMs refused ", sizes_.max_vms,
                                            " VMs and ", sizes_.max_vcpus,
                                            " vCPUs: lower --max-vms or --max-vcpus"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ResourceTables> ResourceTables::Open(const Probe& probe, SharedState& state) {
  ResourceTables tables;
  const size_t vms = probe.sizes().max_vms;
  const size_t vcpus = probe.sizes().max_vcpus;
  const auto map = [&probe](const char* name, size_t count, auto& table) {
    auto rows = std::decay_t<decltype(table)>::Map(probe.MapFd(name), count, name);
    if (!rows.ok()) return rows.status();
    table = *std::move(rows);
    return absl::OkStatus();
  };
  KVMSENTRY_RETURN_IF_ERROR(map("resource_losses", 1, tables.losses_));
  KVMSENTRY_RETURN_IF_ERROR(map("vms_used", vms, tables.vms_used_));
  KVMSENTRY_RETURN_IF_ERROR(map("vcpus_used", vcpus, tables.vcpus_used_));
  KVMSENTRY_RETURN_IF_ERROR(map("resource_vms", vms, tables.vms_));
  KVMSENTRY_RETURN_IF_ERROR(map("resource_vcpus", vcpus, tables.vcpus_));
  KVMSENTRY_RETURN_IF_ERROR(map("resource_disks", vms, tables.disks_));
  tables.tap_map_ = probe.MapFd("resource_taps");
  state.Finish(KS_SOURCE_RESOURCE, KS_RESOURCE_VERSION);
  return tables;
}

std::optional<ks_resource_vm> ResourceTables::Vm(const VmPlace& vm) const {
  if (!vms_used_.Has(vm.slot)) return std::nullopt;
  std::optional<ks_resource_vm> row = Settled(vms_[vm.slot]);
  if (row && row->vm_serial != vm.vm.serial) row.reset();
  return row;
}

std::vector<ResourceTables::Vcpu> ResourceTables::Vcpus() const {
  std::vector<Vcpu> all;
  const auto end = static_cast<Slot>(vcpus_.size());
  for (Slot slot = vcpus_used_.Next(0, end); slot < end; slot = vcpus_used_.Next(slot + 1, end)) {
    if (const auto row = Settled(vcpus_[slot])) all.push_back({slot, *row});
  }
  return all;
}

uint64_t ResourceTables::OomVictims(const VmPlace& vm) const {
  if (!vms_used_.Has(vm.slot)) return 0;
  const ks_resource_vm& row = vms_[vm.slot];
  return Load(row.vm_serial) == vm.vm.serial ? Load(row.oom_victims) : 0;
}

const ks_resource_disks* ResourceTables::Disks(const VmPlace& vm) const {
  // Of one without disks no row need be mapped.
  if (!vms_used_.Has(vm.slot) || Load(vms_[vm.slot].has_disks) == 0) return nullptr;
  const ks_resource_disks& disks = disks_[vm.slot];
  return Load(disks.vm_serial) == vm.vm.serial ? &disks : nullptr;
}

void ResourceTables::SetTaps(VmId vm, const std::vector<TapFile>& taps) {
  std::vector<TapFile>& before = taps_[vm];
  for (const TapFile& tap : before) {
    if (std::ranges::find(taps, tap) != taps.end()) continue;
    ks_resource_tap row = {};  // another VM's, if its tap has the address by now
    const bool known = bpf_map_lookup_elem(tap_map_, &tap.address, &row) == 0;
    if (known && row.serial == vm.serial) bpf_map_delete_elem(tap_map_, &tap.address);
  }
  for (const TapFile& tap : taps) {
    if (std::ranges::find(before, tap) != before.end()) continue;
    ks_resource_tap row = {};
    row.serial = vm.serial;
    bpf_map_update_elem(tap_map_, &tap.address, &row, BPF_ANY);
  }
  before = taps;
  if (taps.empty()) taps_.erase(vm);
}

bool ResourceTables::HasTap(VmId vm, uint64_t tap) const {
  const auto taps = taps_.find(vm);
  return taps != taps_.end() &&
         std::ranges::find(taps->second, tap, &TapFile::address) != taps->second.end();
}

void ResourceTables::Release(const VmPlace& vm) {
  // First what the other row tells of: a run that ends in between leaves it to the next.
  if (Load(vms_[vm.slot].has_disks) != 0) {
    std::memset(&disks_[vm.slot], 0, sizeof(ks_resource_disks));
  }
  std::memset(&vms_[vm.slot], 0, sizeof(ks_resource_vm));
}

}  // namespace kvmsentry
