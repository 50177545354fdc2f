// The source vfio: devices of the host that are handed to guests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/observe.h"
#include "sensor/source/source.h"
#include "sensor/source/vfio/tables.h"

namespace kvmsentry {

class VfioSource final : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<VfioSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kVfio; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Unwatch(VmId vm) override { watched_.erase(vm); }
  absl::Status Release(const VmPlace& vm) override;
  std::vector<VmPlace> Places() const override { return tables_.Places(); }
  void Read(const Sampling& sampling, std::vector<Observation>* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Loss> Losses() const override;
  std::shared_ptr<const SourceCounts> counts() const override { return counts_; }
  absl::string_view Tampered() const override { return tampered_; }

  // The ioctls, by KS_IOCTL_MEMBER of ks_vfio_kind, that VM's VMM made since the last time.
  std::vector<uint32_t> TakeIoctls(const VmPlace& vm);

  // For tests.
  VfioTables& tables() { return tables_; }

 private:
  explicit VfioSource(VfioTables tables) : tables_(std::move(tables)) {}

  VfioTables tables_;
  std::map<VmId, Slot> watched_;
  std::shared_ptr<const CountsByVm> counts_ =
      std::make_shared<const CountsByVm>(SourceId::kVfio, KS_VFIO_METERS);
  uint64_t losses_ = 0;  // those that matter, as of the latest Read()
  std::string tampered_;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vfio_losses& losses);

}  // namespace kvmsentry
