#include "sensor/probe/tables.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

#include <bpf/bpf.h>
#include <fcntl.h>

#include "bpf/exit_reason.h"
#include "sensor/base/load.h"
#include "sensor/probe/msr_blocks.h"

namespace kvmsentry {
namespace {

absl::StatusOr<Fd> Duplicate(const BpfObject& object, const char* name) {
  Fd copy(fcntl(object.MapFd(name), F_DUPFD_CLOEXEC, 0));
  if (!copy) return absl::ErrnoToStatus(errno, absl::StrCat("map ", name));
  return copy;
}

// Deletes the entry of ADDRESS (bpf/entry.bpf.h) if it still leads to SLOT. A hash map cannot
// delete by compare: where a program has made another of it in between, that is put back. If a
// program registered the object once more before that, two rows are its own: RETIRE is called with
// the slot of the older one.
template <typename Retire>
void Forget(int table, uint64_t address, Slot slot, Retire retire) {
  uint64_t stale = 0;
  if (address == 0 || bpf_map_lookup_elem(table, &address, &stale) != 0) return;
  if (static_cast<Slot>(stale) != slot) return;
  uint64_t found = 0;
  if (bpf_map_lookup_and_delete_elem(table, &address, &found) != 0 || found == stale) return;
  if (bpf_map_update_elem(table, &address, &found, BPF_NOEXIST) == 0) return;
  retire(static_cast<Slot>(found));
}

void Store(uint64_t& value, uint64_t next) { __atomic_store_n(&value, next, __ATOMIC_RELAXED); }

void Replace(uint64_t& value, uint64_t expected, uint64_t next) {
  __atomic_compare_exchange_n(&value, &expected, next, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

template <typename Visit>
void TakeBits(uint64_t& word, uint64_t first, Visit visit) {
  if (Load(word) == 0) return;
  uint64_t bits = __atomic_exchange_n(&word, 0, __ATOMIC_RELAXED);
  for (; bits != 0; bits &= bits - 1) {
    visit(first + static_cast<uint64_t>(std::countr_zero(bits)));
  }
}

// Of a table in ks_vm_sets: member + 1.
template <size_t kPlaces, typename Visit>
void TakeKeys(uint64_t (&table)[kPlaces], Visit visit) {
  for (uint64_t& place : table) {
    if (Load(place) != 0) visit(__atomic_exchange_n(&place, 0, __ATOMIC_RELAXED) - 1);
  }
}

}  // namespace

absl::StatusOr<Tables> Tables::Open(const BpfObject& object, const MapSizes& sizes) {
  Tables tables;
  const auto map = [&object](const char* name, size_t count, auto& mapped) {
    auto rows = std::decay_t<decltype(mapped)>::Map(object.MapFd(name), count, name);
    if (!rows.ok()) return rows.status();
    mapped = *std::move(rows);
    return absl::OkStatus();
  };
  KVMSENTRY_RETURN_IF_ERROR(map("state", 1, tables.state_));
  KVMSENTRY_RETURN_IF_ERROR(map("losses", 1, tables.losses_));
  KVMSENTRY_RETURN_IF_ERROR(map("vms", sizes.max_vms, tables.vms_));
  KVMSENTRY_RETURN_IF_ERROR(map("vcpus", sizes.max_vcpus, tables.vcpus_));
  KVMSENTRY_RETURN_IF_ERROR(map("exits", sizes.max_vcpus, tables.exits_));
  KVMSENTRY_RETURN_IF_ERROR(map("queues", sizes.max_queues, tables.queues_));
  KVMSENTRY_RETURN_IF_ERROR(map("vm_limits", sizes.max_vms, tables.limits_));
  KVMSENTRY_RETURN_IF_ERROR(map("vm_sets", sizes.max_vms, tables.sets_));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.vm_slots_, Duplicate(object, "vm_slots"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.vcpu_slots_, Duplicate(object, "vcpu_slots"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.queue_slots_, Duplicate(object, "queue_slots"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.stray_queues_, Duplicate(object, "stray_queues"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.free_vm_slots_, Duplicate(object, "free_vm_slots"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.free_vcpu_slots_, Duplicate(object, "free_vcpu_slots"));
  KVMSENTRY_ASSIGN_OR_RETURN(tables.free_queue_slots_, Duplicate(object, "free_queue_slots"));
  ks_state& state = tables.state_.rows()[0];
  KVMSENTRY_RETURN_IF_ERROR(tables.FreeUnusedSlots());
  __atomic_store_n(&state.layout_version, KS_LAYOUT_VERSION, __ATOMIC_RELEASE);
  tables.beat_ = Load(state.heartbeat_ns);
  tables.ForgetTimings();
  return tables;
}

static_assert(kLimitsPerMeter == KS_LIMITS_PER_METER);

void Tables::SetLimits(Slot slot, std::span<const Limit> limits) {
  ks_vm_limits& rows = limits_.rows()[slot];
  for (uint32_t meter = 0; meter < KS_METER_COUNT; ++meter) {
    size_t taken = 0;
    for (const Limit& limit : limits) {
      if (limit.meter.meter != meter || taken == KS_LIMITS_PER_METER) continue;
      ks_limit_row& row = rows.rows[meter][taken++];
      const auto window = static_cast<uint64_t>(limit.window_ns);
      if (Load(row.window_ns) == window && Load(row.max) == limit.count) continue;
      __atomic_store_n(&row.window_ns, 0, __ATOMIC_RELEASE);
      std::memset(row.marks, 0, sizeof(row.marks));
      Store(row.reported_ns, 0);
      Store(row.untold, 0);
      Store(row.max, limit.count);
      __atomic_store_n(&row.window_ns, window, __ATOMIC_RELEASE);
    }
    for (; taken < KS_LIMITS_PER_METER; ++taken) {
      __atomic_store_n(&rows.rows[meter][taken].window_ns, 0, __ATOMIC_RELEASE);
    }
  }
  const auto look_now = [](auto& row) {
    for (ks_meter_row& meter : row.meters) Store(meter.checkpoint, 0);
  };
  ks_vm_row& vm = vms_.rows()[slot];
  look_now(vm);
  const auto look = [&, serial = Load(vm.serial)](auto& row) {
    if (Load(row.vm_serial) == serial) look_now(row);
  };
  std::ranges::for_each(vcpus_.rows(), look);
  std::ranges::for_each(queues_.rows(), look);
}

void Tables::FreeVcpu(Slot slot, ks_vm_row& vm) {
  ks_vcpu_row& row = vcpus_.rows()[slot];
  const uint64_t address = Load(row.address);
  Replace(row.vcpu, address, 0);
  Forget(vcpu_slots_.get(), address, slot,
         [&](Slot older) { Replace(vcpus_.rows()[older].vcpu, address, 0); });
  for (size_t meter = 0; meter < KS_METERS_OF_VCPU; ++meter) {
    vm.retired[meter] += Load(row.meters[meter].count);
  }
  std::memset(&exits_.rows()[slot], 0, sizeof(ks_exit_row));
  std::memset(&row, 0, sizeof(row));
  bpf_map_update_elem(free_vcpu_slots_.get(), nullptr, &slot, BPF_ANY);
}

void Tables::FoldQueues() {
  for (Slot slot = 0; slot < queues().size(); ++slot) {
    ks_queue_row& row = queues_.rows()[slot];
    const uint64_t serial = Load(row.vm_serial);
    if (serial == 0 || Load(row.queue) != 0) continue;
    const Slot vm_slot = Load(row.vm_slot);
    if (std::exchange(row.going, 1) == 0 || vm_slot >= vms().size()) continue;
    ks_vm_row& vm = vms_.rows()[vm_slot];
    if (Load(vm.serial) == serial) {
      for (size_t meter = 0; meter < KS_METERS_OF_QUEUE; ++meter) {
        vm.retired[KS_METER_VHOST_RUN + meter] += Load(row.meters[meter].count);
      }
      __atomic_fetch_sub(&vm.queues, 1, __ATOMIC_RELAXED);
    }
    const uint64_t address = Load(row.address);
    Forget(queue_slots_.get(), address, slot,
           [&](Slot older) { Replace(queues_.rows()[older].queue, address, 0); });
    std::memset(&row, 0, sizeof(row));
    bpf_map_update_elem(free_queue_slots_.get(), nullptr, &slot, BPF_ANY);
  }
}

// A worker may be counting on one just now: its row rests until FoldQueues has seen it twice.
void Tables::GiveUpQueues(uint64_t vm_serial) {
  for (Slot slot = 0; slot < queues().size(); ++slot) {
    ks_queue_row& row = queues_.rows()[slot];
    if (Load(row.vm_serial) != vm_serial) continue;
    const ks_stray_queue stray = {.mm = Load(row.mm), .births = 0, .outlived = 1};
    const uint64_t address = __atomic_exchange_n(&row.queue, 0, __ATOMIC_RELAXED);
    if (address != 0) bpf_map_update_elem(stray_queues_.get(), &address, &stray, BPF_ANY);
  }
}

void Tables::ForgetTimings() {
  for (ks_vcpu_row& row : vcpus_.rows()) {
    if (Load(row.timing) != 0) __atomic_store_n(&row.timing, 0, __ATOMIC_RELAXED);
  }
}

std::vector<ks_limit_crossed> Tables::TakeUntold() {
  const uint64_t ring_full = Load(losses().ring_full);  // which the programs count last
  if (std::exchange(ring_full_, ring_full) == ring_full) return {};
  std::vector<ks_limit_crossed> untold;
  for (Slot slot = 0; slot < vms().size(); ++slot) {
    const uint64_t serial = Load(vms()[slot].serial);
    if (serial == 0) continue;
    for (uint32_t meter = 0; meter < KS_METER_COUNT; ++meter) {
      for (ks_limit_row& row : limits_.rows()[slot].rows[meter]) {
        if (Load(row.untold) == 0) continue;
        ks_limit_crossed record{};
        record.counted = __atomic_exchange_n(&row.untold, 0, __ATOMIC_SEQ_CST);
        record.header = {.version = KS_LAYOUT_VERSION,
                         .kind = KS_RECORD_LIMIT,
                         .size = sizeof(record),
                         .time_ns = Load(row.untold_ns),
                         .vm_serial = serial};
        record.meter = meter;
        record.max = Load(row.max);
        record.window_ns = Load(row.window_ns);
        record.last = Load(row.untold_last);
        if (record.window_ns != 0 && record.counted > record.max) untold.push_back(record);
      }
    }
  }
  return untold;
}

absl::Status Tables::Release(Slot slot) {
  ks_vm_row& vm = vms_.rows()[slot];
  const uint64_t serial = Load(vm.serial);
  if (serial == 0) return absl::NotFoundError(absl::StrCat("VM slot ", slot, " is free already"));
  __atomic_store_n(&vm.state, KS_VM_DEAD, __ATOMIC_RELEASE);
  Forget(vm_slots_.get(), Load(vm.kvm), slot, [&](Slot older) {
    uint32_t alive = KS_VM_ALIVE;
    __atomic_compare_exchange_n(&vms_.rows()[older].state, &alive, KS_VM_REPLACED, false,
                                __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
  });
  for (Slot vcpu = 0; vcpu < vcpus().size(); ++vcpu) {
    if (Load(vcpus()[vcpu].vm_serial) == serial) FreeVcpu(vcpu, vm);
  }
  GiveUpQueues(serial);
  std::memset(&vm, 0, sizeof(vm));
  std::memset(&limits_.rows()[slot], 0, sizeof(ks_vm_limits));
  std::memset(&sets_.rows()[slot], 0, sizeof(ks_vm_sets));
  if (bpf_map_update_elem(free_vm_slots_.get(), nullptr, &slot, BPF_ANY) != 0) {
    return absl::ErrnoToStatus(errno, "freeing a VM slot");
  }
  return absl::OkStatus();
}

std::vector<Tables::Members> Tables::TakeMembers(const std::function<bool(VmId)>& wanted) {
  std::vector<Members> all(vms().size());
  for (Slot slot = 0; slot < all.size(); ++slot) {
    const VmId vm{Load(vms()[slot].serial)};
    if (vm.serial != 0 && wanted(vm)) all[slot].vm = vm;
  }
  for (Slot vcpu = 0; vcpu < vcpus().size(); ++vcpu) {
    ks_vcpu_row& row = vcpus_.rows()[vcpu];
    const uint64_t serial = Load(row.vm_serial);
    const Slot slot = Load(row.vm_slot);
    if (serial == 0 || slot >= all.size() || all[slot].vm.serial != serial) continue;
    // Before any bit is taken: from here on the vCPU trusts no older mark.
    __atomic_store_n(&row.takes, Load(row.takes) + 1, __ATOMIC_SEQ_CST);
    if (Load(row.exit_reasons_seen) != 0) {
      all[slot].exit_reasons |= __atomic_exchange_n(&row.exit_reasons_seen, 0, __ATOMIC_RELAXED);
    }
    if (Load(row.hypercalls_seen) != 0) {
      all[slot].hypercalls |= __atomic_exchange_n(&row.hypercalls_seen, 0, __ATOMIC_RELAXED);
    }
    TakeExits(vcpu, all[slot]);
  }
  std::vector<Members> taken;
  for (Slot slot = 0; slot < all.size(); ++slot) {
    Members& members = all[slot];
    members.slot = slot;
    if (members.vm.serial == 0) continue;
    TakeSets(members);
    if (!members.Empty()) taken.push_back(std::move(members));
  }
  return taken;
}

void Tables::TakeSets(Members& members) {
  ks_vm_sets& sets = sets_.rows()[members.slot];
  if (Load(sets.changed) == 0) return;
  __atomic_store_n(&sets.changed, 0, __ATOMIC_SEQ_CST);
  for (size_t i = 0; i < std::size(sets.ports); ++i) {
    TakeBits(sets.ports[i], i * 64,
             [&](uint64_t port) { members.ports.push_back(static_cast<uint16_t>(port)); });
  }
  for (size_t i = 0; i < std::size(sets.msrs_written); ++i) {
    TakeBits(sets.msrs_written[i], i * 64, [&](uint64_t bit) {
      members.msrs_written.push_back(MsrOfBit(static_cast<uint32_t>(bit)));
    });
  }
  for (size_t i = 0; i < std::size(sets.ioctls); ++i) {
    TakeBits(sets.ioctls[i], i * 64,
             [&](uint64_t member) { members.ioctls.push_back(static_cast<uint32_t>(member)); });
  }
  TakeKeys(sets.other_msrs,
           [&](uint64_t msr) { members.msrs_written.push_back(static_cast<uint32_t>(msr)); });
  TakeKeys(sets.mmio_pages,
           [&](uint64_t page) { members.mmio_pages.push_back(page << KS_PAGE_SHIFT); });
  members.msr_overflow = __atomic_exchange_n(&sets.msr_overflow, 0, __ATOMIC_RELAXED);
  members.mmio_overflow = __atomic_exchange_n(&sets.mmio_overflow, 0, __ATOMIC_RELAXED);
}

// A reason that several vCPUs had is there several times.
void Tables::TakeExits(Slot vcpu, Members& members) {
  ks_exit_row& row = exits_.rows()[vcpu];
  for (size_t i = 0; i < std::size(row.seen); ++i) {
    TakeBits(row.seen[i], i * 64, [&](uint64_t index) {
      members.exits.push_back(exit_member(Load(row.isa), static_cast<uint32_t>(index)));
    });
  }
}

void Tables::Beat(uint64_t ns) {
  beat_ = ns;
  __atomic_store_n(&state_.rows()[0].heartbeat_ns, ns, __ATOMIC_RELAXED);
}

}  // namespace kvmsentry
