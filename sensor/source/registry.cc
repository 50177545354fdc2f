#include "sensor/source/registry.h"

#include <array>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/probe/libbpf_loader.h"
#include "sensor/source/kvm/bpf.h"
#include "sensor/source/resource/bpf.h"
#include "sensor/source/vfio/bpf.h"
#include "sensor/source/vhost/bpf.h"
#include "sensor/source/vmm/bpf.h"

namespace kvmsentry {
namespace {

template <typename T>
absl::StatusOr<std::unique_ptr<Source>> Open(const Probe& probe, SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<T> source, T::Open(probe, state));
  return source;
}

constexpr std::array kRows = {
    SourceRow{SourceId::kKvm, KvmBpf, Open<KvmSource>},
    SourceRow{SourceId::kVfio, VfioBpf, Open<VfioSource>},
    SourceRow{SourceId::kVhost, VhostBpf, Open<VhostSource>},
    SourceRow{SourceId::kResource, ResourceBpf, ResourceSource::Open},
    SourceRow{SourceId::kVmm, VmmBpf, Open<VmmSource>},
    SourceRow{SourceId::kEntitlement, nullptr, Open<EntitlementSource>},
};

}  // namespace

std::span<const SourceRow> SourceRows() { return kRows; }

std::vector<const BpfSource*> BpfSources() {
  std::vector<const BpfSource*> all;
  for (const SourceRow& row : kRows) {
    if (row.bpf != nullptr) all.push_back(&row.bpf());
  }
  return all;
}

std::span<const Hook* const> HookPointers() {
  static const auto* const hooks =
      new std::vector<const Hook*>(MapPlan("", MapSizes{}, BpfSources()).hooks());
  return *hooks;
}

HookRange Hooks() { return HookRange(HookPointers()); }

absl::StatusOr<std::unique_ptr<Sources>> Sources::Open(const ProbeOptions& options) {
  return Open(options, std::make_unique<LibbpfLoader>(options, BpfSources()));
}

absl::StatusOr<std::unique_ptr<Sources>> Sources::Open(const ProbeOptions& options,
                                                       std::unique_ptr<Loader> loader) {
  std::unique_ptr<Sources> all(new Sources);
  const auto ready = [&all](const Probe& probe) {
    KVMSENTRY_ASSIGN_OR_RETURN(all->state_, SharedState::Open(probe));
    for (const SourceRow& row : kRows) {
      KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Source> source, row.open(probe, all->state_));
      all->sources_.push_back(std::move(source));
    }
    return all->ReleaseStrays();
  };
  KVMSENTRY_ASSIGN_OR_RETURN(all->probe_,
                             Probe::Load(options, BpfSources(), std::move(loader), ready));
  return all;
}

// The table of VMs may have been made anew, while another source kept its maps.
absl::Status Sources::ReleaseStrays() {
  for (const std::unique_ptr<Source>& source : sources_) {
    for (const VmPlace& place : source->Places()) {
      if (Load(kvm().tables().vms()[place.slot].serial) == place.vm.serial) continue;
      KVMSENTRY_RETURN_IF_ERROR(source->Release(place));
    }
  }
  return absl::OkStatus();
}

void Sources::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  for (const std::unique_ptr<Source>& source : sources_) source->Watch(vm, limits);
}

void Sources::Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) {
  for (const std::unique_ptr<Source>& source : sources_) source->Describe(vm, facts, devices);
}

void Sources::Entitle(VmId vm, const Given& given) {
  for (const std::unique_ptr<Source>& source : sources_) source->Entitle(vm, given);
}

void Sources::End(const VmPlace& vm) {
  for (const std::unique_ptr<Source>& source : sources_) source->End(vm);
}

void Sources::Unwatch(VmId vm) {
  for (const std::unique_ptr<Source>& source : sources_) source->Unwatch(vm);
}

void Sources::BeforeAttach() {
  for (const std::unique_ptr<Source>& source : sources_) source->BeforeAttach();
}

void Sources::AfterAttach() {
  for (const std::unique_ptr<Source>& source : sources_) source->AfterAttach();
}

absl::Status Sources::Release(const VmPlace& vm) {
  absl::Status status;
  // kvm, which is first, has the table of VMs: it frees the slot.
  for (size_t i = sources_.size(); i-- > 0;) status.Update(sources_[i]->Release(vm));
  return status;
}

absl::Status Sources::Audit() {
  absl::Status status = state_.Audit();
  for (const std::unique_ptr<Source>& source : sources_) status.Update(source->Audit());
  return status;
}

uint64_t Sources::LossesThatMatter() const {
  uint64_t sum = 0;
  for (const std::unique_ptr<Source>& source : sources_) {
    sum += kvmsentry::LossesThatMatter(*source);
  }
  return sum;
}

std::vector<FileSight> Sources::FileSights() const {
  std::vector<FileSight> all;
  for (const auto& source : sources_) {
    const std::span<const FileSight> sights = source->FileSights();
    all.insert(all.end(), sights.begin(), sights.end());
  }
  return all;
}

}  // namespace kvmsentry
