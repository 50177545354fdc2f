// VMs that come and go while a watch keeps its inventory, as the daemon does.
#pragma once

#include <optional>
#include <set>

#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include "tests/bpf/fixture.h"
#include "tests/bpf/watch.h"

namespace kvmsentry {

class ChurnTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (!HasFatalFailure()) StartWatch();
  }

  void StartWatch() {
    objects_ = {"life", "inventory", "device", "userspace"};
    options_.sizes = {.max_vms = 512, .max_vcpus = 2048, .ring_bytes = 1 << 20};
    Load();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(watch_, Watch::Open(*sources_));
    ASSERT_OK(watch_->Tick());
  }

  // Births come in floods here, and those over budget are found at the next tick.
  void ExpectNothingLostButBirthsOverBudget() {
    const auto& losses = tables().losses();
    EXPECT_EQ(losses.ring_full, 0U);
    EXPECT_EQ(losses.no_vm_slot, 0U);
    EXPECT_EQ(losses.no_vcpu_slot, 0U);
    EXPECT_EQ(losses.table_update, 0U);
    EXPECT_EQ(losses.row_lookup, 0U);
    EXPECT_EQ(losses.unattributed, 0U);
    EXPECT_GT(watch_->audited(), 0U);
    EXPECT_EQ(watch_->most_unknown(), 0U);
    // Other VMs of the host may come and go at the same time.
    EXPECT_TRUE(WaitUntil([this] { return SlotsAreConserved(); }));
  }

  // Takes all free slots out of the pinned queue NAME and puts them back.
  std::multiset<Slot> FreeSlots(absl::string_view name) const {
    const Fd queue(bpf_obj_get(absl::StrCat(options_.pin_root, "/", name).c_str()));
    std::vector<Slot> taken;
    Slot slot = 0;
    while (bpf_map_lookup_and_delete_elem(queue.get(), nullptr, &slot) == 0) taken.push_back(slot);
    for (const Slot free : taken) bpf_map_update_elem(queue.get(), nullptr, &free, BPF_ANY);
    return {taken.begin(), taken.end()};
  }

  // Each slot is either free, and that once, or somebody's.
  bool SlotsAreConserved() {
    const auto conserved = [this](absl::string_view free_name, auto rows, auto serial) {
      const std::multiset<Slot> free = FreeSlots(free_name);
      for (Slot slot = 0; slot < rows.size(); ++slot) {
        if (free.count(slot) != (rows[slot].*serial == 0 ? 1 : 0)) return false;
      }
      return true;
    };
    return conserved("kvm/free_vm_slots", tables().vms(), &ks_vm_row::serial) &&
           conserved("kvm/free_vcpu_slots", tables().vcpus(), &ks_vcpu_row::vm_serial);
  }

  // Ticks until CONDITION is true.
  template <typename Condition>
  bool TickUntil(Condition condition) {
    return WaitUntil([&] {
      EXPECT_EQ(watch_->Tick(), absl::OkStatus());
      return condition() || HasFailure();
    });
  }

  // A walk that began after now.
  bool TickUntilWalked() {
    return TickUntil([this, walks = watch_->walks()] { return watch_->walks() > walks; });
  }

  bool AllGone(pid_t creator, size_t vms) {
    return TickUntil([&] { return watch_->CountGone(creator) == vms; });
  }

  static uint64_t PioOf(const Watch::Life& life) { return life.counts.count[KS_METER_PIO]; }

  std::optional<Watch> watch_;
};

}  // namespace kvmsentry
