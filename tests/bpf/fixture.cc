#include "tests/bpf/fixture.h"

#include <algorithm>
#include <cstring>

#include <unistd.h>

#include "absl/strings/match.h"

#include "sensor/base/file_limit.h"
#include "sensor/probe/kernel.h"
#include "sensor/source/catalogue.h"
#include "tests/support/host.h"

namespace kvmsentry {

void BpfTest::SetUp() {
  ASSERT_EQ(RaiseFileLimit(), absl::OkStatus());  // some tests have two probes
  const std::string missing = MissingForBpf("bpf");
  ASSERT_TRUE(missing.empty()) << missing;
  options_.pin_root = absl::StrCat("/sys/fs/bpf/kvmsentry-test-", getpid());
  options_.sizes = {.max_vms = 256, .max_vcpus = 512, .ring_bytes = 1 << 20};
}

void BpfTest::TearDown() {
  sources_.reset();
  if (options_.pin_root.empty() || !MissingForBpf("bpf").empty()) return;
  EXPECT_EQ(Unpin(options_.pin_root), absl::OkStatus());
}

absl::Status BpfTest::Offers(const Hook& hook, Variant variant) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Kernel kernel, Kernel::Inspect(HookPointers()));
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

void BpfTest::OpenSources() {
  sources_.reset();
  auto sources = Sources::Open(options_);
  ASSERT_OK(sources);
  sources_ = *std::move(sources);
}

bool BpfTest::IsStray(const HookCoverage& hook) {
  return absl::StrContains(hook.reason, "and never runs it");
}

bool BpfTest::FreeStrays() {
  const size_t forced = options_.variants.size();
  for (const HookCoverage& coverage : probe().coverage()) {
    if (IsStray(coverage)) options_.variants.erase(std::string(coverage.hook->name));
  }
  return options_.variants.size() != forced;
}

void BpfTest::Load(std::map<std::string, std::vector<Variant>> variants) {
  for (const Hook& hook : Hooks()) {
    if (!IsLoaded(hook)) variants.try_emplace(std::string(hook.name));
  }
  options_.variants = std::move(variants);
  ASSERT_NO_FATAL_FAILURE(OpenSources());
  if (FreeStrays()) {
    ASSERT_NO_FATAL_FAILURE(OpenSources());
  }
  probe().KeepPins();
  for (const HookCoverage& coverage : probe().coverage()) {
    const auto forced = options_.variants.find(std::string(coverage.hook->name));
    if (forced != options_.variants.end() && forced->second.empty()) continue;
    if (!IsOffered(*coverage.hook)) {
      EXPECT_EQ(coverage.coverage, Coverage::kUnobservable) << coverage.hook->name;
      continue;
    }
    const absl::string_view weakness = coverage.hook->weakness;
    const bool weak = !weakness.empty() && absl::StartsWith(coverage.reason, weakness);
    ASSERT_EQ(coverage.coverage, weak ? Coverage::kDegraded : Coverage::kAttached)
        << coverage.hook->name << ": " << coverage.reason;
  }
}

std::vector<Slot> BpfTest::SlotsOf(pid_t pid) {
  std::vector<Slot> slots;
  for (const ks_vm_row& row : tables().vms()) {
    if (row.serial != 0 && row.creator_pid == static_cast<uint32_t>(pid)) slots.push_back(row.slot);
  }
  std::ranges::sort(slots, {}, [this](Slot slot) { return VmRow(slot).serial; });
  return slots;
}

Slot BpfTest::SlotOf(pid_t pid) {
  const std::vector<Slot> slots = SlotsOf(pid);
  EXPECT_EQ(slots.size(), 1U) << "VMs of process " << pid;
  return slots.empty() ? 0 : slots[0];
}

KvmCounts BpfTest::CountsIn(Slot slot) {
  for (const KvmCounts& counts : ReadKvmCounts(tables().vms(), tables().vcpus())) {
    if (counts.slot == slot) return counts;
  }
  ADD_FAILURE() << "no VM in slot " << slot;
  return {};
}

VhostCounts BpfTest::VhostCountsIn(Slot slot) {
  return sources_->vhost().tables().CountsOf(PlaceOf(slot));
}

uint64_t BpfTest::VfioIoctlsIn(Slot slot) {
  uint64_t counts[KS_VFIO_METERS] = {};
  sources_->vfio().tables().CopyCounts(PlaceOf(slot), counts);
  return counts[KS_METER_VFIO_IOCTL];
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
  probe().DrainRing([&](std::span<const std::byte> bytes) {
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
  for (const std::unique_ptr<Source>& source : sources_->all()) {
    for (const Loss& loss : source->Losses()) {
      if (loss.reason == "vfio_without_vm") continue;  // any process's
      EXPECT_EQ(loss.count, 0U) << SourceName(source->id()) << ": " << loss.reason;
    }
  }
}

}  // namespace kvmsentry
