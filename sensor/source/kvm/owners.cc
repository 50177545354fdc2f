#include "sensor/source/kvm/owners.h"

#include <cerrno>

#include <bpf/bpf.h>
#include <fcntl.h>

#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

ks_owner_key KeyOf(const OwnedThing& thing) {
  return {.kind = static_cast<uint32_t>(thing.kind), .padding = 0, .id = {thing.id, thing.within}};
}

ks_owner_key KeyOfMm(uint64_t mm) { return {.kind = KS_OWNER_MM, .padding = 0, .id = {mm, 0}}; }

ks_owner OwnerOf(const ks_vm_row& row, uint8_t several) {
  return {.serial = Load(row.serial),
          .slot = Load(row.slot),
          .several = several,
          .role = KS_ROLE_OWN,
          .incarnation = 0};
}

// For an address space that is several VMs': who asks looks at all VMs then.
void MarkSeveral(int map, const ks_owner_key& key, ks_owner owner) {
  owner.several = 1;
  bpf_map_update_elem(map, &key, &owner, BPF_ANY);
}

}  // namespace

absl::StatusOr<Owners> Owners::Open(const Probe& probe, std::span<const ks_vm_row> rows) {
  Owners owners;
  owners.map_ = Fd(fcntl(probe.MapFd("owners"), F_DUPFD_CLOEXEC, 0));
  if (!owners.map_) return absl::ErrnoToStatus(errno, "map owners");
  const int map = owners.map_.get();
  ks_owner_key key{};
  while (bpf_map_get_next_key(map, nullptr, &key) == 0) {
    if (bpf_map_delete_elem(map, &key) != 0) return absl::ErrnoToStatus(errno, "map owners");
  }
  for (const ks_vm_row& row : rows) {
    if (row.serial == 0 || row.state != KS_VM_ALIVE) continue;
    key = KeyOfMm(row.mm);
    const ks_owner owner = OwnerOf(row, 0);
    if (bpf_map_update_elem(map, &key, &owner, BPF_NOEXIST) == 0) continue;
    if (errno != EEXIST) return absl::ErrnoToStatus(errno, "map owners");
    MarkSeveral(map, key, owner);
  }
  return owners;
}

absl::Status Owners::Say(const VmPlace& vm, const std::vector<OwnedThing>& things) {
  book_.Say(vm, things);
  return Tell();
}

absl::Status Owners::Tell() {
  absl::Status status;
  for (const OwnerBook::Change& change : book_.Changes()) {
    const ks_owner_key key = KeyOf(change.thing);
    const bool gone = change.owner.serial == 0;
    const int failed = gone ? bpf_map_delete_elem(map_.get(), &key)
                            : bpf_map_update_elem(map_.get(), &key, &change.owner, BPF_ANY);
    if (failed == 0 || (gone && errno == ENOENT)) {
      book_.Done(change);
    } else {
      status.Update(absl::ErrnoToStatus(
          errno, "the map owners, which says whose things of the host are: raise --max-vms"));
    }
  }
  return status;
}

void Owners::Forget(const ks_vm_row& row) {
  const uint64_t serial = Load(row.serial);
  const ks_owner_key key = KeyOfMm(Load(row.mm));
  ks_owner owner{};
  if (bpf_map_lookup_elem(map_.get(), &key, &owner) != 0) return;
  if (owner.several != 0) {
    doubtful_.insert(Load(row.mm));
    return;
  }
  if (owner.serial != serial) return;
  // Its process may have made another VM just now, whose program said so in this very entry.
  if (bpf_map_lookup_and_delete_elem(map_.get(), &key, &owner) != 0) return;
  if (owner.several != 0 || owner.serial != serial) MarkSeveral(map_.get(), key, owner);
}

void Owners::TakeDoubtful() {
  for (const uint64_t mm : doubtful_) {
    const ks_owner_key key = KeyOfMm(mm);
    bpf_map_delete_elem(map_.get(), &key);
  }
}

// A program fills the row before it says whose the address space is: so a VM whose word was just
// deleted is among the rows.
void Owners::PutBack(const ks_vm_row& row) {
  const uint64_t mm = Load(row.mm);
  if (Load(row.serial) == 0 || Load(row.state) == KS_VM_DEAD || !doubtful_.contains(mm)) return;
  MarkSeveral(map_.get(), KeyOfMm(mm), OwnerOf(row, 1));
}

}  // namespace kvmsentry
