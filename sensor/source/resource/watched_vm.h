// One VM's use of resources, from pass to pass. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"

#include "bpf/resource/records.h"
#include "sensor/base/ids.h"
#include "sensor/source/resource/bounds.h"
#include "sensor/source/resource/levels.h"
#include "sensor/source/resource/survey.h"
#include "sensor/source/resource/writer.h"

namespace kvmsentry {

// What the latest pass found, for `vms`.
struct ResourceUse {
  // Of a level the highest of its parts, in its unit; of a rate the sum, per second.
  absl::btree_map<FeatureId, double> levels;
  absl::btree_map<FeatureId, uint64_t> counts;  // of all its parts together
  uint64_t mapped = 0;                          // bytes of all its memory slots
};

class ResourceVm {
 public:
  ResourceVm(VmId id, Slot slot) : id_(id), slot_(slot) {}

  // The most that it was given.
  void Bind(const Bounds& bounds) { bounds_ = bounds; }

  VmId id() const { return id_; }
  Slot slot() const { return slot_; }

  // What a pass found. nullopt and nullptr: nothing new.
  void TakeVm(const std::optional<ks_resource_vm>& row);
  void TakeVcpu(Slot slot, const ks_resource_vcpu& row);
  void TakeDisks(const ks_resource_disks* disks);
  // Those that TakeTap() tells from now on are all that there are.
  void BeginTaps() { taps_.clear(); }
  void TakeTap(const ks_resource_tap& tap);
  // As read from files; nullptr: they could not be read.
  void TakeFiles(const Survey::GroupSeen* files);

  // Once all was taken of a pass: writes what has come of it since the pass before.
  void Observe(ResourceWriter& write);

  // Its VMM was chosen VICTIMS times to be killed: told at once, for no pass may come to see it.
  void TakeVictims(uint64_t victims, ResourceWriter& write);

  // A process is there, whose files may be read.
  int32_t pid() const { return now_ ? static_cast<int32_t>(now_->tgid) : 0; }
  // It is near a limit, held back by one, or waits for a disk: its files are worth reading.
  bool IsShort() const;
  // Its vCPUs have waited much for some passes in a row: worth saying for whom.
  bool IsStarved() const { return starved_passes_ >= kStarvedPasses; }
  // Those of its vCPUs' threads that waited for more than a tenth of the time.
  std::vector<Survey::Victim> Waiting() const;
  // How long all its vCPUs waited since the pass before.
  uint64_t waited_ns() const { return waited_ns_; }

  const ResourceUse& use() const { return use_; }

 private:
  struct Vcpu {
    uint32_t index = 0;
    ks_resource_vcpu before = {}, now = {};
    bool fresh = false;            // the latest pass has found it
    std::optional<VcpuTime> time;  // since the pass before
    uint64_t waiting = 0;          // tenths of a percent
  };
  // A slow request may take longer than from pass to pass: latencies are of the last ten.
  static constexpr size_t kLatencyPasses = 10;
  struct Disk {
    ks_resource_disk now = {};
    std::deque<std::array<uint64_t, KS_LATENCIES>> latencies;  // of the passes before, oldest first
  };

  void ObserveCpu(ResourceWriter& write);
  void ObserveVcpus(ResourceWriter& write);
  void ObserveMemory(ResourceWriter& write);
  void ObserveFiles(ResourceWriter& write);
  void ObserveDisks(ResourceWriter& write);
  void ObserveTaps(ResourceWriter& write);
  void AddRates(const absl::btree_map<FeatureId, uint64_t>& before);
  // So much that it may be under pressure for it.
  bool WaitsForDisks() const;
  void Level(ResourceWriter& write, FeatureId feature, LevelNow level, PartId part = {});
  void Count(ResourceWriter& write, FeatureId feature, uint64_t count, PartId part = {});

  VmId id_;
  Slot slot_;
  Bounds bounds_;
  std::optional<ks_resource_vm> before_, now_;
  std::map<Slot, Vcpu> vcpus_;  // by the slot of its row
  MemoryCounts memory_;
  std::optional<Survey::GroupSeen> files_before_, files_;
  bool files_fresh_ = false;
  uint64_t reclaimed_ = 0, refaulted_ = 0;
  std::map<uint32_t, Disk> disks_;            // by device number
  std::map<uint32_t, ks_resource_tap> taps_;  // by ifindex
  static constexpr int kStarvedPasses = 3;
  uint64_t waited_ns_ = 0;
  int starved_passes_ = 0;  // in a row
  ResourceUse use_;
};

}  // namespace kvmsentry
