// The source vhost: virtqueues that the host's kernel serves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/observe.h"
#include "sensor/source/source.h"
#include "sensor/source/vhost/queue_parts.h"
#include "sensor/source/vhost/tables.h"

namespace kvmsentry {

class VhostSource final : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<VhostSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kVhost; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Unwatch(VmId vm) override;
  absl::Status Release(const VmPlace& vm) override;
  std::vector<VmPlace> Places() const override { return tables_.Places(); }
  void Read(const Sampling& sampling, Reading* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Loss> Losses() const override;
  std::shared_ptr<const SourceCounts> counts() const override { return counts_; }
  absl::string_view Tampered() const override { return tampered_; }

  // For tests.
  VhostTables& tables() { return tables_; }

 private:
  explicit VhostSource(VhostTables tables) : tables_(std::move(tables)) {}
  void ReadQueues(const Sampling& sampling, const VmPlace& vm, std::vector<Count>* out);
  void ReadMembers(const VmPlace& vm, std::vector<Sighting>* out);

  VhostTables tables_;
  std::map<VmId, Slot> watched_;
  std::map<VmId, QueueParts> queues_;  // of those that have any
  std::shared_ptr<const CountsByVm> counts_ =
      std::make_shared<const CountsByVm>(SourceId::kVhost, KS_VHOST_METERS);
  std::string tampered_;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vhost_losses& losses);

}  // namespace kvmsentry
