// A source whose rows are of VMs as a whole (vm_tables.h): it counts by meter, and what else is in
// a row it reads by itself.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "sensor/source/observe.h"
#include "sensor/source/source.h"
#include "sensor/source/vm_tables.h"

namespace kvmsentry {

template <typename Tables>
class VmRowSource : public Source {
 public:
  SourceId id() const override { return id_; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override {
    watched_[vm.vm] = vm.slot;
    tables_.SetLimits(vm, limits);
  }
  void Unwatch(VmId vm) override { watched_.erase(vm); }
  absl::Status Release(const VmPlace& vm) override {
    watched_.erase(vm.vm);
    tables_.Release(vm);
    return absl::OkStatus();
  }
  std::vector<VmPlace> Places() const override { return tables_.Places(); }

  // A VM without a row has counted nothing: its rates are 0.
  void Read(const Sampling& sampling, Reading* out) override {
    const std::vector<VmPlace> places = tables_.Places();
    auto counts = std::make_shared<CountsByVm>(id_, Tables::kMeters, places.size());
    for (const VmPlace& vm : places) tables_.CopyCounts(vm, counts->Add(vm));
    if (counts->WentBackSince(*counts_)) {
      tampered_ = absl::StrCat("a count in the map ", tables_.name(), "_vms went back");
    }
    counts_ = std::move(counts);
    for (const auto& [vm, slot] : watched_) {
      auto* row = tables_.RowOf({vm, slot});
      if (row == nullptr && !sampling.heard->Of(vm).empty()) continue;
      ObserveCounts(sampling, vm, counts_->Of({vm, slot}), {}, &out->counts);
      if (row != nullptr) ReadRow(vm, *row, sampling.now, out);
    }
    tables_.GiveLimitsBack();
  }

  void TakeUntold(std::vector<Observation>* out) override {
    ObserveUntold(tables_.TakeUntold(), out);
  }
  std::shared_ptr<const SourceCounts> counts() const override { return counts_; }
  absl::string_view Tampered() const override { return tampered_; }

  // For tests.
  Tables& tables() { return tables_; }

 protected:
  // Of a VM that is watched.
  std::optional<Slot> SlotOf(VmId vm) const {
    const auto watched = watched_.find(vm);
    return watched == watched_.end() ? std::nullopt : std::optional(watched->second);
  }

  VmRowSource(SourceId id, Tables tables)
      : tables_(std::move(tables)),
        id_(id),
        counts_(std::make_shared<const CountsByVm>(id, Tables::kMeters)) {}

  // What ROW, of VM, has besides counts.
  virtual void ReadRow(VmId vm, typename Tables::RowType& row, KernelTime now, Reading* out) = 0;

  Tables tables_;

 private:
  SourceId id_;
  std::map<VmId, Slot> watched_;
  std::shared_ptr<const CountsByVm> counts_;
  std::string tampered_;
};

}  // namespace kvmsentry
