// How the sensor follows VMs: what appears, changes, ends and is gone.
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "spdlog/spdlog.h"

#include "sensor/base/load.h"
#include "sensor/daemon/sensor.h"

namespace kvmsentry {

void Sensor::Look() {
  const Pulse::Step step(pulse_, clock_, "looking at the VM table");
  looked_at_ = clock_.Now();
  births_ = Load(sources_->state().row().owners_made);
  uevents_seen_ = host_.uevents_seen();
  std::vector<ks_vm_row> rows = sources_->kvm().tables().CopyVms();
  std::erase_if(rows, [this](const ks_vm_row& row) { return proof_.IsCanarys(row); });
  const InventoryChanges changes = host_.Look(rows);
  const KernelTime now = clock_.Now();
  for (const VmEntry& vm : changes.appeared) Appear(vm, now);
  if (!changes.gone.empty() || !changes.exited.empty()) {
    // What they did last, or in all their short life, is judged before they are forgotten.
    Sample(now);
    observer_.Drain();
    Raise(now);
  }
  for (const VmGone& gone : changes.gone) Vanish(gone, now);
  // Until its row was released a VM may have passed a limit: read before the Tick that drops it.
  if (!changes.gone.empty()) observer_.Drain();
  for (const VmGone& gone : changes.gone) observer_.members().Remove(gone.id);
  for (const VmEntry& vm : changes.changed) Appear(vm, now);
  for (const VmEntry& vm : changes.exited) Exit(vm, now);
  if (std::exchange(walks_seen_, host_.walks_seen()) != host_.walks_seen()) {
    for (const VmId changed : registry_.TakeDevices(host_.inventory())) {
      Describe(*registry_.Find(changed));
    }
    TakeGiven(now);
  }
}

void Sensor::Appear(VmEntry vm, KernelTime now) {
  if (const VmRecord* known = registry_.Find(vm.facts.id)) {
    vm.facts.vcpus = known->entry.facts.vcpus;  // the inventory does not count them
  } else if (log_quota_.Admit(now)) {
    spdlog::info("watching VM {} (pid {}, {})", vm.facts.name, vm.facts.pid, vm.facts.vmm);
  }
  Watch(vm, now);
}

void Sensor::Watch(const VmEntry& vm, KernelTime now) {
  const ks_vm_row& row = sources_->kvm().tables().vms()[vm.slot];
  const KernelTime first{static_cast<int64_t>(Load(row.first_ns))};
  registry_.Put({.entry = vm, .first_seen = WallAt(clock_, first), .born_here = first >= began_});
  engine_.UpsertVm(vm.facts, now);
  observer_.Forget(vm.facts.id);
  WatchSources(vm);
  Describe(*registry_.Find(vm.facts.id));
}

void Sensor::WatchSources(const VmEntry& vm) {
  const VmPlace place{vm.facts.id, vm.slot};
  sources_->Watch(place, library_->LimitsFor(vm.facts));
  if (vm.exited) sources_->End(place);
}

void Sensor::Describe(const VmRecord& vm) {
  sources_->Describe(vm.entry.facts.id, vm.entry.facts, *vm.devices);
  tap_names_.Take(vm.entry.facts.id, *vm.devices, engine_);
}

void Sensor::TakeGiven(KernelTime now) {
  const auto wall = [this](KernelTime time) { return WallAt(clock_, time); };
  for (const auto& [id, changed] : registry_.TakeGiven(host_.given(), wall)) {
    const VmRecord& vm = *registry_.Find(id);
    sources_->Entitle(id, vm.given->given);
    if (!changed || !log_quota_.Admit(now)) continue;
    spdlog::info("VM {}: what it was given changed: {}", vm.entry.facts.name,
                 absl::StrJoin(vm.given->changes, "; "));
  }
}

// Norms may be per vCPU. KVM frees a vCPU only with its VM: fewer are a VM that ends, which clears
// its alerts as such.
void Sensor::CountVcpus(KernelTime now) {
  for (const KvmCounts& counts : sources_->kvm().vms()) {
    const VmRecord* known = registry_.Find(counts.vm);
    if (known == nullptr || known->entry.facts.vcpus >= counts.vcpus) continue;
    VmEntry vm = known->entry;
    vm.facts.vcpus = counts.vcpus;
    Watch(vm, now);
  }
}

// Its alerts end with it. It is watched on, for what its processes do.
void Sensor::Exit(const VmEntry& vm, KernelTime now) {
  if (log_quota_.Admit(now)) {
    spdlog::warn("VM {} ended, but its VMM or a child of it goes on, and is watched",
                 vm.facts.name);
  }
  TellIfForgotten(vm.slot, now);  // before Appear() has its row marked dead
  engine_.RemoveVm(vm.facts.id, now);
  Raise(now);
  Appear(vm, now);
}

void Sensor::TellIfForgotten(Slot slot, KernelTime now) {
  if (!coverage_.Has("kvm_track_tsc") || !sources_->kvm().tables().WasForgotten(slot)) return;
  self_.Tampered("the map vm_slots lost an entry, and a VM was taken for new", now);
}

void Sensor::Vanish(const VmGone& gone, KernelTime now) {
  if (const VmRecord* vm = registry_.Find(gone.id)) {
    if (log_quota_.Admit(now)) {
      spdlog::info("VM {} exited{}", vm->entry.facts.name,
                   vm->entry.exited ? " some time ago, now its last process, too" : "");
    }
    engine_.RemoveVm(gone.id, now);
    registry_.Remove(gone.id);
    tap_names_.Forget(gone.id);
    observer_.Forget(gone.id);
  }
  if (gone.reason == GoneReason::kRowLost) {
    sources_->Unwatch(gone.id);
    self_.Tampered("a row of the map vms was emptied", now);
    return;
  }
  TellIfForgotten(gone.slot, now);
  const absl::Status released = sources_->Release({gone.id, gone.slot});
  if (!released.ok()) spdlog::error("{}", std::string(released.message()));
}

}  // namespace kvmsentry
