#include "tests/bpf/watch.h"

#include <algorithm>
#include <utility>

#include "sensor/base/clock.h"

namespace kvmsentry {

absl::StatusOr<Watch> Watch::Open(Sources& sources) {
  KVMSENTRY_ASSIGN_OR_RETURN(UeventSocket uevents, UeventSocket::Open());
  return Watch(sources, std::move(uevents));
}

absl::Status Watch::TakeUevents() {
  KVMSENTRY_ASSIGN_OR_RETURN(const UeventBatch batch, uevents_.Read());
  if (batch.overrun) inventory_.OnUeventsLost();
  for (const KvmUevent& event : batch.events) inventory_.OnUevent(event);
  if (batch.overrun || !batch.events.empty()) schedule_.Request(SystemClock().Now());
  return absl::OkStatus();
}

absl::Status Watch::Tick() {
  sources_->probe().DrainRing([](std::span<const std::byte>) {});
  KVMSENTRY_RETURN_IF_ERROR(TakeUevents());
  Walk walk{.begin = SystemClock().Now(), .files = {}, .devices = {}};
  std::vector<ks_open_file> files;
  const bool due = schedule_.Due() <= walk.begin;
  if (due) {
    inventory_.BeginWalk();
    KVMSENTRY_ASSIGN_OR_RETURN(files, sources_->probe().WalkOpenFiles());
    walk.files = files;
    schedule_.Walked(walk.begin, SystemClock().Now());
    KVMSENTRY_RETURN_IF_ERROR(TakeUevents());
    ++walks_;
  }
  KvmTables& tables = sources_->kvm().tables();
  const std::vector<ks_vm_row> rows = tables.CopyVms();
  const InventoryChanges changes =
      inventory_.Sync(rows, due ? &walk : nullptr, SystemClock().Now());
  if (due && inventory_.hidden() != 0) schedule_.Doubt();
  if (due && inventory_.unknown()) {
    ++audited_;
    most_unknown_ = std::max(most_unknown_, *inventory_.unknown());
  }
  for (const auto* entries : {&changes.appeared, &changes.changed}) {
    for (const VmEntry& entry : *entries) lives_[entry.facts.id.serial].entry = entry;
  }
  for (const KvmCounts& counts : ReadKvmCounts(tables.vms(), tables.vcpus())) {
    Life& life = lives_[counts.vm.serial];
    life.counts = counts;
    life.creator = static_cast<pid_t>(tables.vms()[counts.slot].creator_pid);
  }
  for (const VmGone& gone : changes.gone) {
    lives_[gone.id.serial].gone = true;
    if (gone.reason == GoneReason::kRowLost) {
      return absl::DataLossError(absl::StrCat("the row of VM ", gone.id.serial, " is lost"));
    }
    KVMSENTRY_RETURN_IF_ERROR(sources_->Release({gone.id, gone.slot}));
  }
  return absl::OkStatus();
}

std::vector<const Watch::Life*> Watch::LivesOf(pid_t creator) const {
  std::vector<const Life*> lives;
  for (const auto& [serial, life] : lives_) {
    if (life.creator == creator) lives.push_back(&life);
  }
  return lives;
}

size_t Watch::CountGone(pid_t creator) const {
  return static_cast<size_t>(std::ranges::count_if(lives_, [&](const auto& entry) {
    return entry.second.creator == creator && entry.second.gone;
  }));
}

}  // namespace kvmsentry
