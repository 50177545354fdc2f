#include "sensor/source/kvm/tables.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/limit_rows.h"

namespace kvmsentry {
namespace {

bool IsInUse(const ks_vm_row& row) { return Load(row.serial) != 0; }

void Clear(uint64_t& value, uint64_t expected) {
  __atomic_compare_exchange_n(&value, &expected, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

}  // namespace

absl::StatusOr<KvmTables> KvmTables::Open(const Probe& probe, SharedState& state) {
  KvmTables tables;
  const MapSizes& sizes = probe.sizes();
  const auto map = [&probe](const char* name, size_t count, auto& table) {
    auto rows = std::decay_t<decltype(table)>::Map(probe.MapFd(name), count, name);
    if (!rows.ok()) return rows.status();
    table = *std::move(rows);
    return absl::OkStatus();
  };
  KVMSENTRY_RETURN_IF_ERROR(map("kvm_losses", 1, tables.losses_));
  KVMSENTRY_RETURN_IF_ERROR(map("vms", sizes.max_vms, tables.vms_));
  KVMSENTRY_RETURN_IF_ERROR(map("vcpus", sizes.max_vcpus, tables.vcpus_));
  KVMSENTRY_RETURN_IF_ERROR(map("exits", sizes.max_vcpus, tables.exits_));
  RowTable<ks_kvm_limits> limits;
  KVMSENTRY_RETURN_IF_ERROR(map("kvm_limits", sizes.max_vms, limits));
  tables.limits_ = LimitTable(SourceId::kKvm, std::move(limits));
  KVMSENTRY_RETURN_IF_ERROR(map("kvm_sets", sizes.max_vms, tables.sets_));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.vm_pool_,
                             SlotPool::Open(probe.MapFd("vm_slots"), probe.MapFd("free_vm_slots"),
                                            probe.MapFd("vms_used"), sizes.max_vms, "vms"));
  KVMSENTRY_ASSIGN_OR_RETURN(
      tables.vcpu_pool_, SlotPool::Open(probe.MapFd("vcpu_slots"), probe.MapFd("free_vcpu_slots"),
                                        probe.MapFd("vcpus_used"), sizes.max_vcpus, "vcpus"));
  tables.vcpus_of_.resize(sizes.max_vms);
  const bool fresh = state.IsFresh(KS_SOURCE_KVM);
  KVMSENTRY_ASSIGN_OR_RETURN(tables.owners_, Owners::Open(probe, {}));
  // An earlier run may have been killed while it released a VM.
  for (const ks_vm_row& vm : tables.vms()) {
    if (!IsInUse(vm) || Load(vm.state) != KS_VM_DEAD) continue;
    KVMSENTRY_RETURN_IF_ERROR(tables.Release(Load(vm.slot)));
  }
  KVMSENTRY_RETURN_IF_ERROR(
      tables.vm_pool_.Recover(fresh, [&](Slot slot) { return IsInUse(tables.vms_[slot]); }));
  KVMSENTRY_RETURN_IF_ERROR(tables.vcpu_pool_.Recover(
      fresh, [&](Slot slot) { return Load(tables.vcpus_[slot].vm_serial) != 0; }));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.owners_, Owners::Open(probe, tables.CopyVms()));
  state.Finish(KS_SOURCE_KVM, KS_KVM_VERSION);
  tables.ForgetTimings();
  return tables;
}

std::vector<VcpuExits> KvmTables::ReadExits() const {
  std::vector<VcpuExits> all;
  const auto rows = vcpus();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    auto exits = kvmsentry::ReadExits(*row, exits_[row.slot()]);
    // The row may have been freed, and be another VM's, since the reading began.
    if (exits && Load((*row).vm_serial) == exits->vm.serial) all.push_back(*std::move(exits));
  }
  return all;
}

std::vector<ks_vm_row> KvmTables::CopyVms() const {
  std::vector<ks_vm_row> rows;
  for (const ks_vm_row& row : vms()) {
    // Written last, when all else is there, so it is read first.
    const uint32_t state = __atomic_load_n(&row.state, __ATOMIC_ACQUIRE);
    rows.push_back(LoadAll(row));
    rows.back().state = state;
  }
  return rows;
}

void KvmTables::IndexVcpus() const {
  for (std::vector<Slot>& slots : vcpus_of_) slots.clear();
  const auto rows = vcpus();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const Slot vm = Load((*row).vm_slot);
    const uint64_t serial = Load((*row).vm_serial);
    if (serial == 0 || vm >= vms_.size() || Load(vms_[vm].serial) != serial) continue;
    vcpus_of_[vm].push_back(row.slot());
  }
}

// Indexed for all VMs at once, and only if the VM has got vCPUs since: never vCPUs times VMs.
const std::vector<Slot>& KvmTables::VcpusOf(Slot slot) const {
  const uint64_t serial = Load(vms_[slot].serial);
  const std::vector<Slot>& slots = vcpus_of_[slot];
  const bool current =
      slots.size() == Load(vms_[slot].vcpus) &&
      std::ranges::all_of(slots, [&](Slot vcpu) { return Load(vcpus_[vcpu].vm_serial) == serial; });
  if (!current) IndexVcpus();
  return slots;
}

void KvmTables::SetLimits(Slot slot, std::span<const Limit> limits) {
  limits_.Set(slot, limits);
  LookAtOnce(vms_[slot].meters);
  for (const Slot vcpu : VcpusOf(slot)) LookAtOnce(vcpus_[vcpu].meters);
}

void KvmTables::ForgetTimings() {
  for (Slot slot = vcpu_pool_.used().Next(0, static_cast<Slot>(vcpus_.size()));
       slot < vcpus_.size();
       slot = vcpu_pool_.used().Next(slot + 1, static_cast<Slot>(vcpus_.size()))) {
    if (Load(vcpus_[slot].timing) != 0) {
      __atomic_store_n(&vcpus_[slot].timing, 0, __ATOMIC_RELAXED);
    }
  }
}

void KvmTables::FreeVcpu(Slot slot, ks_vm_row& vm) {
  ks_vcpu_row& row = vcpus_[slot];
  const uint64_t address = Load(row.address);
  Clear(row.vcpu, address);
  vcpu_pool_.Forget(address, slot, [&](Slot older) { Clear(vcpus_[older].vcpu, address); });
  for (size_t meter = 0; meter < KS_METERS_OF_VCPU; ++meter) {
    vm.retired[meter] += Load(row.meters[meter].count);
  }
  std::memset(&exits_[slot], 0, sizeof(ks_exit_row));
  std::memset(&row, 0, sizeof(row));
  (void)vcpu_pool_.Free(slot);  // the queue has room for all slots
}

void KvmTables::Retire(Slot slot) {
  ks_vm_row& vm = vms_[slot];
  if (!IsInUse(vm)) return;
  __atomic_store_n(&vm.state, KS_VM_DEAD, __ATOMIC_RELEASE);
  vm_pool_.Forget(Load(vm.kvm), slot, [&](Slot older) {
    uint32_t alive = KS_VM_ALIVE;
    __atomic_compare_exchange_n(&vms_[older].state, &alive, KS_VM_REPLACED, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_RELAXED);
  });
  owners_.Forget(vm);
  for (const Slot vcpu : VcpusOf(slot)) FreeVcpu(vcpu, vm);
  vcpus_of_[slot].clear();
  vm.vcpus = 0;
  limits_.Clear(slot);
  std::memset(&sets_[slot], 0, sizeof(ks_kvm_sets));
}

absl::Status KvmTables::Release(Slot slot) {
  ks_vm_row& vm = vms_[slot];
  if (!IsInUse(vm)) return absl::NotFoundError(absl::StrCat("VM slot ", slot, " is free already"));
  Retire(slot);
  std::memset(&vm, 0, sizeof(vm));
  return vm_pool_.Free(slot);
}

bool WasMetTwice(const ks_vm_row& row, const ks_vm_row& latest) {
  return Load(latest.kvm) == Load(row.kvm) && Load(latest.serial) > Load(row.serial) &&
         Load(latest.born_seen) == 0;
}

bool KvmTables::WasForgotten(Slot slot) const {
  const ks_vm_row& row = vms_[slot];
  Slot latest = slot;
  if (Load(row.state) != KS_VM_ALIVE || !vm_pool_.Find(Load(row.kvm), &latest)) return false;
  return latest < vms_.size() && latest != slot && WasMetTwice(row, vms_[latest]);
}

std::vector<ks_limit_crossed> KvmTables::TakeUntold() {
  return limits_.TakeUntold(Load(losses().ring_full), [this] {
    std::vector<VmPlace> places;
    for (const ks_vm_row& vm : vms()) places.push_back({{Load(vm.serial)}, Load(vm.slot)});
    return places;
  });
}

// A row and its entry in the hash table are written one after the other, so that a single look can
// come between the two: only what is amiss twice is.
absl::Status KvmTables::Audit() {
  if (vms_.failed() || vcpus_.failed() || exits_.failed() || limits_.failed() || sets_.failed()) {
    return absl::ResourceExhaustedError(
        "the kernel refused to map a row of its tables: raise vm.max_map_count");
  }
  std::vector<Suspect> amiss;
  const auto look = [&](const SlotPool& pool, const char* name, uint64_t address, Slot slot) {
    Slot found = 0;
    if (!pool.Find(address, &found) || found != slot) amiss.push_back({name, address, slot});
  };
  for (const ks_vm_row& row : vms()) {
    if (!IsInUse(row) || Load(row.state) != KS_VM_ALIVE) continue;
    look(vm_pool_, "vm_slots", Load(row.kvm), Load(row.slot));
  }
  for (const ks_vcpu_row& row : vcpus()) {
    const uint64_t vcpu = Load(row.vcpu);
    if (vcpu != 0) look(vcpu_pool_, "vcpu_slots", vcpu, Load(row.slot));
  }
  const std::vector<Suspect> before = std::exchange(suspects_, std::move(amiss));
  for (const Suspect& suspect : suspects_) {
    if (std::ranges::find(before, suspect) == before.end()) continue;
    return absl::DataLossError(
        absl::StrCat("the map ", suspect.table, " lost or changed an entry"));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
