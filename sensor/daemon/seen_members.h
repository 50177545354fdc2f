// The members of sets that one VM was seen with, for who asks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "sensor/base/time.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/observation.h"
#include "sensor/feature/sample.h"

namespace kvmsentry {

// A member, noted once and never changed but for `last`.
struct SeenMember {
  uint64_t value = 0;                       // as in Observation
  std::shared_ptr<const Member> wide = {};  // as in Observation
  KernelTime first;
  std::atomic<int64_t> last_ns = 0;
};

// Of one set. One thread notes, any may read meanwhile: entries are only ever added, behind a count
// that says how many are complete. So reading needs no lock, and holds nobody up.
class SeenSet {
 public:
  // A guest chooses its members; sightings of more are counted.
  static constexpr uint32_t kMost = 256;

  void Note(uint64_t value, KernelTime time);
  void Note(const std::shared_ptr<const Member>& wide, KernelTime time);

  uint32_t size() const { return count_.load(std::memory_order_acquire); }
  // I < size().
  const SeenMember& operator[](uint32_t i) const { return (*chunks_[i / kChunk])[i % kChunk]; }
  uint64_t beyond() const { return beyond_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kChunk = 8;  // most sets are of a few
  using Chunk = std::array<SeenMember, kChunk>;

  SeenMember& At(uint32_t place) { return (*chunks_[place / kChunk])[place % kChunk]; }
  // Its place where there is room for another; else it is counted.
  std::optional<uint32_t> Add(uint64_t value, std::shared_ptr<const Member> wide, KernelTime time);

  std::array<std::unique_ptr<Chunk>, kMost / kChunk> chunks_;
  std::atomic<uint32_t> count_ = 0;
  std::atomic<uint64_t> beyond_ = 0;
  // Of who notes alone: where each is.
  std::unordered_map<uint64_t, uint32_t> by_value_;
  std::map<Member, uint32_t> by_member_;
};

// Of one VM, all its sets. As a SeenSet. A VM is seen with members of a few sets of the many that
// there are: each is made at its first.
class SeenMembers {
 public:
  SeenMembers();
  ~SeenMembers();
  SeenMembers(const SeenMembers&) = delete;
  SeenMembers& operator=(const SeenMembers&) = delete;

  // SEEN is a kMember.
  void Note(const Observation& seen);
  void Note(FeatureId feature, uint64_t member, KernelTime time) {
    SetOf(feature).Note(member, time);
  }
  // nullptr: none was seen.
  const SeenSet* Of(FeatureId feature) const;

 private:
  SeenSet& SetOf(FeatureId feature);

  std::unique_ptr<std::atomic<SeenSet*>[]> sets_;  // of SetFeatures(), and one of all else
};

// The features that are sets, in the catalogue's order.
std::span<const FeatureId> SetFeatures();

// Of all VMs that are watched. Not thread safe; what Of() gives may be read by any thread.
class MemberBook {
 public:
  void Note(const Observation& seen);  // a kMember
  void Note(const Sighting& seen, KernelTime time);
  void Remove(VmId vm);
  // nullptr: none was seen.
  std::shared_ptr<const SeenMembers> Of(VmId vm) const;

 private:
  SeenMembers& MembersOf(VmId vm);

  absl::flat_hash_map<VmId, std::shared_ptr<SeenMembers>> vms_;
  // Of the latest observation: they come VM by VM.
  VmId latest_;
  SeenMembers* latest_members_ = nullptr;
};

}  // namespace kvmsentry
