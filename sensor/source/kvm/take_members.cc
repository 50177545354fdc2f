// Which members VMs have named: the reader of ks_kvm_sets and of the bits in rows.
#include <algorithm>
#include <utility>

#include "bpf/kvm/exit_reason.h"
#include "sensor/base/load.h"
#include "sensor/source/kvm/msr_blocks.h"
#include "sensor/source/kvm/tables.h"
#include "sensor/source/take_bits.h"

namespace kvmsentry {
namespace {

// Of PLACE, whose number as a member is MEMBER.
KvmTables::Access AccessOf(uint64_t place, uint64_t member,
                           const ks_access (&accesses)[KS_ACCESSES]) {
  const ks_access& access = accesses[member % KS_ACCESSES];
  if (Load(access.member) != member + 1) return {.place = place};
  return {.place = place, .size = Load(access.size), .count = Load(access.count)};
}

}  // namespace

void KvmTables::Members::Begin(VmId vm_now, Slot slot_now) {
  Members next;
  next.vm = vm_now;
  next.slot = slot_now;
  // Not what a guest needed that named all there is.
  constexpr size_t kMostRoom = 64;
  const auto keep = [](auto& from, auto& to) {
    if (from.capacity() > kMostRoom) return;
    from.clear();
    to.swap(from);
  };
  keep(ports, next.ports);
  keep(msrs_written, next.msrs_written);
  keep(mmio_pages, next.mmio_pages);
  keep(ioctls, next.ioctls);
  keep(exits, next.exits);
  *this = std::move(next);
}

std::span<const KvmTables::Members> KvmTables::TakeMembers(
    const std::function<bool(VmId)>& wanted) {
  size_t used = 0;
  for (const ks_vm_row& vm : vms()) {
    const VmId id{Load(vm.serial)};
    if (id.serial == 0 || !wanted(id)) continue;
    if (used == members_.size()) members_.emplace_back();
    members_[used++].Begin(id, Load(vm.slot));
  }
  const std::span<Members> all = std::span(members_).first(used);  // in the order of slots
  const Slot end = static_cast<Slot>(vcpus_.size());
  for (Slot vcpu = vcpu_pool_.used().Next(0, end); vcpu < end;
       vcpu = vcpu_pool_.used().Next(vcpu + 1, end)) {
    ks_vcpu_row& row = vcpus_[vcpu];
    const uint64_t serial = Load(row.vm_serial);
    const auto found = std::ranges::lower_bound(all, Load(row.vm_slot), {}, &Members::slot);
    if (found == all.end() || serial == 0 || found->vm.serial != serial) continue;
    // Before any bit is taken: from here on the vCPU trusts no older mark.
    __atomic_store_n(&row.takes, Load(row.takes) + 1, __ATOMIC_SEQ_CST);
    if (Load(row.exit_reasons_seen) != 0) {
      found->exit_reasons |= __atomic_exchange_n(&row.exit_reasons_seen, 0, __ATOMIC_RELAXED);
    }
    if (Load(row.hypercalls_seen) != 0) {
      found->hypercalls |= __atomic_exchange_n(&row.hypercalls_seen, 0, __ATOMIC_RELAXED);
    }
    TakeExits(vcpu, *found);
  }
  size_t named = 0;
  for (Members& members : all) {
    TakeSets(members);
    if (members.Empty()) continue;
    if (&all[named] != &members) std::swap(all[named], members);  // which keeps the other's room
    ++named;
  }
  return all.first(named);
}

void KvmTables::TakeSets(Members& members) {
  ks_kvm_sets& sets = sets_[members.slot];
  if (Load(sets.changed) == 0) return;
  const uint64_t changed = __atomic_exchange_n(&sets.changed, 0, __ATOMIC_SEQ_CST);
  if ((changed & KS_CHANGED_PORTS) != 0) {
    TakePartsOfBits<KS_PART>(sets.ports, sets.port_parts, [&](uint64_t port) {
      members.ports.push_back(AccessOf(port, port, sets.port_accesses));
    });
  }
  if ((changed & KS_CHANGED_MSRS) != 0) {
    TakePartsOfBits<KS_PART>(sets.msrs_written, sets.msr_parts, [&](uint64_t bit) {
      members.msrs_written.push_back(MsrOfBit(static_cast<uint32_t>(bit)));
    });
  }
  if ((changed & KS_CHANGED_OTHER_MSRS) != 0) {
    TakeKeys(sets.other_msrs,
             [&](uint64_t msr) { members.msrs_written.push_back(static_cast<uint32_t>(msr)); });
  }
  if ((changed & KS_CHANGED_PAGES) != 0) {
    TakeKeys(sets.mmio_pages, [&](uint64_t page) {
      members.mmio_pages.push_back(AccessOf(page << KS_PAGE_SHIFT, page, sets.page_accesses));
    });
  }
  if ((changed & KS_CHANGED_FEW) != 0) TakeFew(sets, members);
}

void KvmTables::TakeFew(ks_kvm_sets& sets, Members& members) {
  TakeAllBits(sets.ioctls,
              [&](uint64_t member) { members.ioctls.push_back(static_cast<uint32_t>(member)); });
  members.protection_lost = __atomic_exchange_n(&sets.protection_lost, 0, __ATOMIC_RELAXED);
  members.rewritten = __atomic_exchange_n(&sets.rewritten, 0, __ATOMIC_RELAXED);
  members.overrun = __atomic_exchange_n(&sets.overrun, 0, __ATOMIC_RELAXED);
  members.panicked = __atomic_exchange_n(&sets.panicked, 0, __ATOMIC_RELAXED);
  members.msr_overflow = __atomic_exchange_n(&sets.msr_overflow, 0, __ATOMIC_RELAXED);
  members.mmio_overflow = __atomic_exchange_n(&sets.mmio_overflow, 0, __ATOMIC_RELAXED);
}

// A reason that several vCPUs had is there several times.
void KvmTables::TakeExits(Slot vcpu, Members& members) {
  if (Load(vcpus_[vcpu].meters[KS_METER_EXIT].count) == 0) return;  // its row need not be mapped
  ks_exit_row& row = exits_[vcpu];
  TakeAllBits(row.seen, [&](uint64_t index) {
    members.exits.push_back(exit_member(Load(row.isa), static_cast<uint32_t>(index)));
  });
}

}  // namespace kvmsentry
