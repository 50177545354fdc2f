#include "sensor/inventory/inventory.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "sensor/base/escape.h"
#include "sensor/inventory/process_cache.h"

namespace kvmsentry {
namespace {

constexpr int64_t kReadAgainNs = 10 * kNsPerSecond;
constexpr size_t kMaxUnwatchedListed = 64;
constexpr int kWalksWithoutCount = 2;

}  // namespace

void Inventory::OnUevent(const KvmUevent& event) {
  count_ = event.alive;
  if (event.kind == KvmUevent::Kind::kDestroy) ++deaths_;
}

void Inventory::OnUeventsLost() {
  count_.reset();
  walk_count_.reset();
}

void Inventory::BeginWalk() {
  walk_count_ = count_;
  deaths_ = 0;
}

InventoryChanges Inventory::Sync(std::span<const ks_vm_row> rows, const Walk* walk,
                                 KernelTime now) {
  InventoryChanges changes;
  ProcessCache processes(reader_);
  TakeRows(rows, &changes);
  JudgeExited(&changes);
  Held held;
  if (walk != nullptr) {
    held = HeldIn(*walk);
    Judge(*walk, held, &changes);
  }
  // First those that are gone, so that their names are free for the others.
  for (auto it = vms_.begin(); it != vms_.end();) {
    if (!it->second.gone) {
      ++it;
      continue;
    }
    Tell(&it->second, nullptr, &processes, now, &changes);
    it = Remove(it, *it->second.gone, &changes);
  }
  for (auto& [serial, vm] : vms_) {
    const auto holders = vm.exited != 0 ? held.end() : held.find(vm.kvm);
    Tell(&vm, holders == held.end() ? nullptr : &holders->second, &processes, now, &changes);
  }
  if (walk != nullptr) {
    ListUnwatched(held, &processes);
    TakeDevices(*walk, held);
  }
  std::ranges::sort(changes.appeared, {}, [](const VmEntry& vm) { return vm.facts.id; });
  std::ranges::sort(changes.exited, {}, [](const VmEntry& vm) { return vm.facts.id; });
  std::ranges::sort(changes.gone, {}, &VmGone::id);
  return changes;
}

void Inventory::Tell(Vm* vm, const Holders* holders, ProcessCache* processes, KernelTime now,
                     InventoryChanges* changes) {
  if (!vm->appeared && reader_->Pending(vm->creator)) return;
  const VmFacts before = vm->facts;
  Describe(vm, holders, processes, now);
  if (!vm->appeared) {
    vm->appeared = true;
    changes->appeared.push_back({vm->facts, vm->slot});
  } else if (vm->facts != before) {
    changes->changed.push_back({vm->facts, vm->slot});
  }
}

Inventory::Held Inventory::HeldIn(const Walk& walk) {
  Held held;
  for (const ks_open_file& file : walk.files) {
    if (file.kvm == 0) continue;
    Holders& holders = held[file.kvm];
    holders.pids.insert(static_cast<int32_t>(file.tgid));
    if (file.creator_pid != 0) holders.creator = file.creator_pid;
    holders.has_vcpu |= file.kind == KS_FILE_VCPU;
  }
  return held;
}

void Inventory::TakeRows(std::span<const ks_vm_row> rows, InventoryChanges* changes) {
  std::map<uint64_t, Slot> alive, replaced;
  std::map<uint64_t, uint64_t> newest;  // serial by address
  std::set<uint64_t> dead;
  for (Slot slot = 0; slot < rows.size(); ++slot) {
    const ks_vm_row& row = rows[slot];
    if (row.serial == 0 || row.kvm == 0) continue;
    if (row.state == KS_VM_DEAD) dead.insert(row.serial);
    if (row.state == KS_VM_REPLACED) replaced[row.serial] = slot;
    if (row.state != KS_VM_ALIVE) continue;
    alive[row.serial] = slot;
    newest[row.kvm] = std::max(newest[row.kvm], row.serial);
  }
  // Two rows alive at one address: the older one's end was missed.
  std::erase_if(alive, [&](const auto& entry) {
    const bool old = newest[rows[entry.second].kvm] != entry.first;
    if (old) replaced.insert(entry);
    return old;
  });
  std::erase_if(told_, [&](const auto& entry) {
    return !alive.contains(entry.first) && !replaced.contains(entry.first);
  });

  for (auto it = vms_.begin(); it != vms_.end();) {
    if (it->second.exited != 0 ? dead.contains(it->first) : alive.contains(it->first)) {
      ++it;
    } else {
      const bool was_replaced = replaced.contains(it->first);
      it = Remove(it, was_replaced ? GoneReason::kReplaced : GoneReason::kRowLost, changes);
    }
  }
  const auto meet = [&](uint64_t serial, Slot slot) {
    const auto [it, fresh] = vms_.try_emplace(serial);
    Vm& vm = it->second;
    const ks_vm_row& row = rows[slot];
    vm.slot = row.slot;
    vm.creator = static_cast<int32_t>(row.creator_pid);
    if (!fresh) return it;
    vm.kvm = row.kvm;
    vm.first = {static_cast<int64_t>(row.first_ns)};
    vm.facts.id = {serial};
    return it;
  };
  for (const auto& [serial, slot] : replaced) {
    if (told_.contains(serial) || IsExited(serial)) continue;
    Remove(meet(serial, slot), GoneReason::kReplaced, changes);
  }
  for (const auto& [serial, slot] : alive) {
    if (!told_.contains(serial)) meet(serial, slot);
  }
}

// Which VMs the walk shows to be gone; see the header's beginning.
void Inventory::Judge(const Walk& walk, const Held& held, InventoryChanges* changes) {
  using Suspect = std::tuple<KernelTime, uint64_t>;  // since when, serial
  std::vector<Suspect> suspects;
  for (auto it = vms_.begin(); it != vms_.end();) {
    Vm& vm = it->second;
    const auto holders = held.find(vm.kvm);
    if (vm.gone || vm.exited != 0) {
      // Another one's files are at its address, if any.
    } else if (holders != held.end()) {
      // The address alone may be another VM's by now, one that has no row yet.
      const auto creator = static_cast<int32_t>(holders->second.creator);
      if (creator != 0 && vm.creator != 0 && creator != vm.creator) {
        it = Remove(it, GoneReason::kReplaced, changes);
        continue;
      }
      vm.suspected.reset();
      vm.suspected_walks = 0;
    } else if (vm.first < walk.begin) {
      if (!vm.suspected) vm.suspected = walk.begin;
      ++vm.suspected_walks;
      suspects.emplace_back(*vm.suspected, it->first);
    }
    ++it;
  }
  hidden_ = walk_count_ && *walk_count_ > held.size() ? *walk_count_ - held.size() : 0;
  Audit(suspects.size());
  std::ranges::sort(suspects);
  for (size_t i = 0; i < suspects.size(); ++i) {
    const auto vm = vms_.find(std::get<1>(suspects[i]));
    const bool stays = walk_count_ ? i < hidden_ : vm->second.suspected_walks < kWalksWithoutCount;
    if (!stays) Remove(vm, GoneReason::kClosed, changes);
  }
}

// What the hidden are, as far as can be told; see the header's beginning.
void Inventory::Audit(size_t suspects) {
  const uint64_t most = hidden_ - std::min<uint64_t>(hidden_, suspects);
  const uint64_t least = most - std::min(most, deaths_);
  const uint64_t before = std::exchange(unaccounted_, least);
  unknown_ = std::min(before, least);
  if (!walk_count_ || (most != 0 && least == 0)) unknown_.reset();
}

Inventory::Vms::iterator Inventory::Remove(Vms::iterator vm, GoneReason reason,
                                           InventoryChanges* changes) {
  if (!vm->second.appeared) {
    vm->second.gone = reason;
    return std::next(vm);
  }
  if (reason != GoneReason::kRowLost && max_exited_ != 0 && lives_on_ &&
      lives_on_({vm->first}, vm->second.slot)) {
    Keep(vm, changes);
    return std::next(vm);
  }
  return Drop(vm, reason, changes);
}

Inventory::Vms::iterator Inventory::Drop(Vms::iterator vm, GoneReason reason,
                                         InventoryChanges* changes) {
  if (vm->second.exited == 0) names_.Release(vm->second.naming.name, vm->second.facts.name);
  std::erase_if(changes->exited,
                [&](const VmEntry& entry) { return entry.facts.id == VmId{vm->first}; });
  changes->gone.push_back({VmId{vm->first}, vm->second.slot, reason});
  if (reason != GoneReason::kRowLost) told_.emplace(vm->first, vm->second.slot);
  return vms_.erase(vm);
}

std::optional<int32_t> Inventory::ChooseProcess(const Vm& vm, const Holders* holders,
                                                ProcessCache* processes) {
  // What KVM calls the creator is a thread.
  const ProcessFacts* creator = processes->Read(vm.creator);
  const bool is_older = creator != nullptr && creator->start <= vm.first;
  if (is_older && (holders == nullptr || holders->pids.contains(creator->pid))) return creator->pid;
  if (holders == nullptr) return std::nullopt;
  return *holders->pids.begin();
}

void Inventory::Describe(Vm* vm, const Holders* holders, ProcessCache* processes, KernelTime now) {
  const bool fresh = vm->facts.name.empty();
  // Between walks nothing new is known of a VM; a suspect keeps the process it had.
  if (!fresh && holders == nullptr) return;
  const bool same = !fresh && holders != nullptr && holders->pids.contains(vm->facts.pid) &&
                    processes->IsStill(vm->facts.pid, vm->facts.start_ticks);
  if (same && now - vm->read_at < kReadAgainNs) return;

  const auto pid = same ? vm->facts.pid : ChooseProcess(*vm, holders, processes);
  const ProcessFacts* process = pid ? processes->Read(*pid) : nullptr;
  if (process == nullptr) {
    if (!fresh) return;
    vm->facts.pid = pid.value_or(vm->creator);
    vm->facts.cgroup.assign(1, '/');  // GCC 12 warns of = "/" (its bug 105651)
    Adopt(vm, NameUnknownVm(vm->facts.pid));
    return;
  }
  vm->read_at = now;
  vm->facts.pid = process->pid;
  vm->facts.start_ticks = process->start_ticks;
  vm->facts.cgroup = Escape(process->cgroup, 4096);
  // Who hands its files on to a process of another name is not renamed by that.
  if (!vm->naming.chosen) Adopt(vm, NameVm(*process));
}

void Inventory::Adopt(Vm* vm, VmNaming naming) {
  if (vm->facts.name.empty() || naming.name != vm->naming.name) {
    if (!vm->facts.name.empty()) names_.Release(vm->naming.name, vm->facts.name);
    vm->facts.name = names_.Take(naming.name);
    vm->facts.given_name = naming.name;
  }
  vm->facts.uuid = naming.uuid;
  vm->facts.vmm = naming.vmm;
  vm->naming = std::move(naming);
}

void Inventory::ListUnwatched(const Held& held, ProcessCache* processes) {
  std::set<uint64_t> watched;
  for (const auto& [serial, vm] : vms_) {
    if (vm.exited == 0) watched.insert(vm.kvm);
  }
  unwatched_.clear();
  unwatched_count_ = 0;
  for (const auto& [kvm, holders] : held) {
    if (watched.contains(kvm)) continue;
    ++unwatched_count_;
    if (unwatched_.size() == kMaxUnwatchedListed) continue;
    const auto creator = static_cast<int32_t>(holders.creator);
    const int32_t pid = holders.pids.contains(creator) ? creator : *holders.pids.begin();
    const ProcessFacts* process = processes->Read(pid);
    VmNaming naming = process != nullptr ? NameVm(*process) : NameUnknownVm(pid);
    unwatched_.push_back({.kvm = kvm,
                          .pid = pid,
                          .name = std::move(naming.name),
                          .has_vcpu = holders.has_vcpu,
                          .holders = {holders.pids.begin(), holders.pids.end()}});
  }
}

}  // namespace kvmsentry
