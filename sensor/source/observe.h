// From counts and members to observations. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// The rates among FEATURES that meters count, as Sampling wants them.
std::vector<const Feature*> MeteredAmong(std::span<const FeatureId> features);

// Appends the count of each rate of such a PART that can be seen, if it was not heard yet; missing
// is not zero.
// COUNT has the cumulative counts of VM's PART by meter, LAST what the latest occurrence named
// (empty: nothing).
void ObserveCounts(const Sampling& sampling, VmId vm, std::span<const uint64_t> count,
                   std::span<const uint64_t> last, std::vector<Count>* out, PartId part = {});

// Appends that MEMBER of the set FEATURE was seen, which is no number.
void ObserveMember(VmId vm, KernelTime now, FeatureId feature, Member member,
                   std::vector<Observation>* out);

// What was told by the ring, or should have been.
void ObserveUntold(std::span<const ks_limit_crossed> untold, std::vector<Observation>* out);

// Puts the counts of SOURCE's rates into DETAILS.
void ShowCounts(SourceId source, std::span<const uint64_t> count, VmDetails* details);

// The counts of a source that has rows of a few VMs only; those of all others are 0. There is a
// new one at each tick: an array in the order of slots, nothing that must be hashed.
class CountsByVm final : public SourceCounts {
 public:
  // Of about EXPECTED VMs.
  CountsByVm(SourceId source, size_t meters, size_t expected = 0) : source_(source), none_(meters) {
    places_.reserve(expected);
    counts_.reserve(expected * meters);
  }

  // The counts of VM, all 0: to be written before another call. In the order of slots.
  std::span<uint64_t> Add(const VmPlace& vm);
  bool Has(const VmPlace& vm) const { return Find(vm).has_value(); }
  std::span<const uint64_t> Of(const VmPlace& vm) const;
  // Whether one is lower than in BEFORE.
  bool WentBackSince(const CountsByVm& before) const;
  void Show(const VmPlace& vm, VmDetails* details) const override;

 private:
  std::optional<size_t> Find(const VmPlace& vm) const;
  std::span<const uint64_t> At(size_t place) const {
    return std::span(counts_).subspan(place * none_.size(), none_.size());
  }

  SourceId source_;
  std::vector<uint64_t> none_;
  std::vector<VmPlace> places_;
  std::vector<uint64_t> counts_;
};

// Whether one of the counts of a VM, by meter, is lower than BEFORE: the kernel's counters never go
// back, so one that does was written by somebody.
bool WentBack(std::span<const uint64_t> before, std::span<const uint64_t> now);

}  // namespace kvmsentry
