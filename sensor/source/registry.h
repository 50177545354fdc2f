// All sources, a row each, and how they are opened together.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/entitlement/source.h"
#include "sensor/source/kvm/source.h"
#include "sensor/source/resource/source.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"
#include "sensor/source/vfio/source.h"
#include "sensor/source/vhost/source.h"
#include "sensor/source/vmm/source.h"

namespace kvmsentry {

struct SourceRow {
  SourceId id;
  const BpfSource& (*bpf)() = nullptr;  // nullptr: it has no BPF
  absl::StatusOr<std::unique_ptr<Source>> (*open)(const Probe& probe, SharedState& state);
};

// In the order of SourceId.
std::span<const SourceRow> SourceRows();
// Of those that have BPF.
std::vector<const BpfSource*> BpfSources();

// The hooks of all sources.
class HookRange {
 public:
  class Iterator {
   public:
    explicit Iterator(const Hook* const* at) : at_(at) {}
    const Hook& operator*() const { return **at_; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const = default;

   private:
    const Hook* const* at_;
  };
  explicit HookRange(std::span<const Hook* const> hooks) : hooks_(hooks) {}
  Iterator begin() const { return Iterator(hooks_.data()); }
  Iterator end() const { return Iterator(hooks_.data() + hooks_.size()); }

 private:
  std::span<const Hook* const> hooks_;
};
HookRange Hooks();
std::span<const Hook* const> HookPointers();

// The probe, and all sources open on it. Not thread safe.
class Sources {
 public:
  // As Probe::Load(): sources are open before their first program is attached. LOADER is of the
  // same options, and of BpfSources().
  static absl::StatusOr<std::unique_ptr<Sources>> Open(const ProbeOptions& options,
                                                       std::unique_ptr<Loader> loader);
  // With a loader in this process.
  static absl::StatusOr<std::unique_ptr<Sources>> Open(const ProbeOptions& options);

  Probe& probe() { return *probe_; }
  const Probe& probe() const { return *probe_; }
  SharedState& state() { return state_; }
  const SharedState& state() const { return state_; }

  std::span<const std::unique_ptr<Source>> all() const { return sources_; }
  KvmSource& kvm() const { return Of<KvmSource>(SourceId::kKvm); }
  VfioSource& vfio() const { return Of<VfioSource>(SourceId::kVfio); }
  VhostSource& vhost() const { return Of<VhostSource>(SourceId::kVhost); }
  VmmSource& vmm() const { return Of<VmmSource>(SourceId::kVmm); }

  // Each does it for all sources. A VM's slot is free once all have released it, its row last.
  void Watch(const VmPlace& vm, std::span<const Limit> limits);
  void End(const VmPlace& vm);
  void Unwatch(VmId vm);
  void Describe(VmId vm, const VmFacts& facts, const DeviceList& devices);
  void Entitle(VmId vm, const Given& given);
  absl::Status Release(const VmPlace& vm);
  void BeforeAttach();
  void AfterAttach();
  // Of the shared state, too.
  absl::Status Audit();
  uint64_t LossesThatMatter() const;
  std::vector<FileSight> FileSights() const;

 private:
  Sources() = default;
  absl::Status ReleaseStrays();
  template <typename T>
  T& Of(SourceId id) const {
    return static_cast<T&>(*sources_[static_cast<size_t>(id)]);
  }

  std::unique_ptr<Probe> probe_;
  SharedState state_;
  std::vector<std::unique_ptr<Source>> sources_;  // by SourceId
};

}  // namespace kvmsentry
