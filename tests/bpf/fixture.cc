#include "tests/bpf/fixture.h"

#include <algorithm>
#include <cstring>

#include <unistd.h>

#include "sensor/probe/kernel.h"
#include "tests/support/host.h"

namespace kvmsentry {

void BpfTest::SetUp() {
  const std::string missing = MissingForBpf("bpf");
  ASSERT_TRUE(missing.empty()) << missing;
  options_.pin_root = absl::StrCat("/sys/fs/bpf/kvmsentry-test-", getpid());
  options_.sizes = {.max_vms = 256, .max_vcpus = 512, .ring_bytes = 1 << 20};
}

void BpfTest::TearDown() {
  probe_.reset();
  if (options_.pin_root.empty() || !MissingForBpf("bpf").empty()) return;
  EXPECT_EQ(Unpin(options_.pin_root), absl::OkStatus());
}

absl::Status BpfTest::Offers(const Hook& hook, Variant variant) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Kernel kernel, Kernel::Inspect());
  return kernel.Offers(hook, variant);
}

bool BpfTest::IsOffered(const Hook& hook) {
  return std::ranges::any_of(hook.variants,
                             [&hook](Variant variant) { return Offers(hook, variant).ok(); });
}

std::map<std::string, std::vector<Variant>> BpfTest::Force(Variant variant) const {
  std::map<std::string, std::vector<Variant>> variants;
  for (const Hook& hook : Hooks()) {
    if (!IsLoaded(hook)) continue;
    if (std::ranges::find(hook.variants, variant) == hook.variants.end()) continue;
    if (Offers(hook, variant).ok()) variants[std::string(hook.name)] = {variant};
  }
  return variants;
}

void BpfTest::Load(std::map<std::string, std::vector<Variant>> variants) {
  for (const Hook& hook : Hooks()) {
    if (!IsLoaded(hook)) variants.try_emplace(std::string(hook.name));
  }
  options_.variants = std::move(variants);
  auto probe = Probe::Load(options_);
  ASSERT_OK(probe);
  probe_ = *std::move(probe);
  for (const HookCoverage& coverage : probe_->coverage()) {
    const auto forced = options_.variants.find(std::string(coverage.hook->name));
    if (forced != options_.variants.end() && forced->second.empty()) continue;
    if (!IsOffered(*coverage.hook)) {
      EXPECT_EQ(coverage.coverage, Coverage::kUnobservable) << coverage.hook->name;
      continue;
    }
    const bool weak = coverage.reason == coverage.hook->weakness && !coverage.reason.empty();
    ASSERT_EQ(coverage.coverage, weak ? Coverage::kDegraded : Coverage::kAttached)
        << coverage.hook->name << ": " << coverage.reason;
  }
}

std::vector<Slot> BpfTest::SlotsOf(pid_t pid) {
  std::vector<Slot> slots;
  for (Slot slot = 0; slot < tables().vms().size(); ++slot) {
    const ks_vm_row& row = VmRow(slot);
    if (row.serial != 0 && row.creator_pid == static_cast<uint32_t>(pid)) slots.push_back(slot);
  }
  std::ranges::sort(slots, {}, [this](Slot slot) { return VmRow(slot).serial; });
  return slots;
}

Slot BpfTest::SlotOf(pid_t pid) {
  const std::vector<Slot> slots = SlotsOf(pid);
  EXPECT_EQ(slots.size(), 1U) << "VMs of process " << pid;
  return slots.empty() ? 0 : slots[0];
}

VmCounts BpfTest::CountsIn(Slot slot) {
  for (const VmCounts& counts : ReadCounts(tables().vms(), tables().vcpus(), tables().queues())) {
    if (counts.slot == slot) return counts;
  }
  ADD_FAILURE() << "no VM in slot " << slot;
  return {};
}

std::vector<const ks_vcpu_row*> BpfTest::VcpusIn(Slot slot) {
  std::vector<const ks_vcpu_row*> vcpus;
  for (const ks_vcpu_row& row : tables().vcpus()) {
    if (row.vm_serial != 0 && row.vm_serial == VmRow(slot).serial) vcpus.push_back(&row);
  }
  std::ranges::sort(vcpus, {}, &ks_vcpu_row::vcpu_index);
  return vcpus;
}

std::vector<ks_limit_crossed> BpfTest::TakeLimitRecords(VmId vm) {
  std::vector<ks_limit_crossed> taken;
  probe_->DrainRing([&](std::span<const std::byte> bytes) {
    EXPECT_EQ(Decode(bytes).status(), absl::OkStatus());
    ks_limit_crossed record{};
    if (bytes.size() != sizeof(record)) return;
    std::memcpy(&record, bytes.data(), sizeof(record));
    if (record.header.kind == KS_RECORD_LIMIT && record.header.vm_serial == vm.serial) {
      taken.push_back(record);
    }
  });
  return taken;
}

void BpfTest::ExpectNoLosses() {
  const ks_losses& losses = tables().losses();
  EXPECT_EQ(losses.ring_full, 0U);
  EXPECT_EQ(losses.no_vm_slot, 0U);
  EXPECT_EQ(losses.no_vcpu_slot, 0U);
  EXPECT_EQ(losses.table_update, 0U);
  EXPECT_EQ(losses.row_lookup, 0U);
  EXPECT_EQ(losses.unattributed, 0U);
  EXPECT_EQ(losses.over_budget, 0U);
  EXPECT_EQ(losses.no_queue_slot, 0U);
  EXPECT_EQ(losses.queue_unattributed, 0U);
  EXPECT_EQ(losses.queue_without_vm, 0U);
  EXPECT_EQ(losses.vfio_unattributed, 0U);
  EXPECT_EQ(losses.irq_unattributed, 0U);
  EXPECT_EQ(losses.missed_return, 0U);
}

}  // namespace kvmsentry
