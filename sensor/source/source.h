// A source: one domain of sensing, on its way from the kernel or the host to observations.
//
// The daemon drives all sources alike, and knows of none what it is made of. A source may have BPF
// programs and tables of its own (sensor/probe) or none at all: coverage is asked of it and does
// not presume hooks. It gets the changes of VMs and their limits; it gives observations, losses,
// and what `vms` shows. A VM is known to it by its serial, and by the slot of its row in
// the kernel's table of VMs, in whose place its own tables have theirs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/limit.h"
#include "sensor/feature/observation.h"
#include "sensor/feature/sample.h"
#include "sensor/feature/vm.h"
#include "sensor/inventory/device.h"
#include "sensor/source/heard_counts.h"

namespace kvmsentry {

struct Given;

struct VmPlace {
  VmId vm;
  Slot slot = 0;
  friend bool operator==(const VmPlace&, const VmPlace&) = default;
};

// Something that was not counted or reported.
struct Loss {
  absl::string_view reason;   // "ring_full"
  absl::string_view meaning;  // what it is, in words
  uint64_t count = 0;
  bool matters = false;  // counts of watched VMs are too low, or records of them are missing
};

// What one of the source's hooks that are files gave of the VMs that live.
struct FileSight {
  absl::string_view hook;
  bool of_some = false;  // there is a VM of which it was read
  std::string lacks;     // why it is not to be had of a VM, and of which; empty: of all it was read
  friend bool operator==(const FileSight&, const FileSight&) = default;
};

// What is asked of a source once a tick.
struct Sampling {
  KernelTime now;
  std::span<const FeatureId> active;  // those of the source's features that can be seen; ordered
  std::span<const Feature* const> rates;  // the rates among these that meters count
  HeardCounts* heard = nullptr;           // the source's counts that the engine knows
};

// What a source gives once a tick.
struct Reading {
  std::vector<Count> counts;
  std::vector<Sighting> sightings;
  std::vector<Gauge> gauges;
  std::vector<Observation> observations;
};

// What `vms` shows of one VM, added up over all sources.
struct VmDetails {
  std::map<FeatureId, uint64_t> counts;  // of rates
  // Of a level the highest of its parts, in its unit; of a rate the sum, per second.
  std::map<FeatureId, double> levels;
  uint32_t vcpus = 0;
  uint64_t mapped = 0;      // bytes that KVM maps for the guest; 0: not known
  bool incomplete = false;  // a part of it is not counted, for no slot was left
  bool born_seen = false;   // by a hook
};

// What a source had counted at one Read(). Never changed, so any thread may ask it.
class SourceCounts {
 public:
  virtual ~SourceCounts() = default;
  virtual void Show(const VmPlace& vm, VmDetails* details) const = 0;
};

// Not thread safe: one thread drives it, but for BeforeAttach().
class Source {
 public:
  virtual ~Source() = default;

  virtual SourceId id() const = 0;

  // ---- VMs ----

  // VM is watched from now on, or its limits change. LIMITS are of all sources: those of others are
  // passed over. In force from each meter's next occurrence.
  virtual void Watch(const VmPlace& vm, std::span<const Limit> limits) = 0;

  // What the inventory has found of a VM that is watched, whenever that has changed.
  virtual void Describe(VmId /*vm*/, const VmFacts& /*facts*/, const DeviceList& /*devices*/) {}

  // What a VM that is watched was given, whenever that was read with another result.
  virtual void Entitle(VmId /*vm*/, const Given& /*given*/) {}

  // VM has ended, but processes of it live on: from now on it is watched for what these do alone.
  // Its rows stay until it is released. Once more does nothing more.
  virtual void End(const VmPlace& vm) { Unwatch(vm.vm); }

  // VM is not watched any more, and its rows are left alone.
  virtual void Unwatch(VmId vm) = 0;

  // VM is gone, and its last observations were read: frees what it has here. DATA_LOSS where
  // somebody else has written to the tables.
  virtual absl::Status Release(const VmPlace& vm) = 0;

  // The VMs that it has rows of, where these outlive the daemon: those that live no more are
  // released at the start.
  virtual std::vector<VmPlace> Places() const { return {}; }

  // ---- observations ----

  // Once a tick: of each VM that is watched, what it has counted and named since the last time.
  // Appends to OUT; serials are the caller's to set, and it knows by the losses whether counts may
  // be too low.
  virtual void Read(const Sampling& sampling, Reading* out) = 0;

  // Whether each Read() knows every count of each VM that is watched, and leaves out only those
  // that are as the engine has heard them.
  virtual bool GivesAllCounts() const { return true; }

  // As of the latest Read(); never nullptr.
  virtual std::shared_ptr<const SourceCounts> counts() const = 0;

  // Limits that were passed and found no room in the ring, as the observations that they would have
  // been. Cheap where nothing was lost since the last time.
  virtual void TakeUntold(std::vector<Observation>* out) = 0;

  // ---- itself ----

  // What the latest Read() found. Hooks of which nothing is known yet are not among them.
  virtual std::span<const FileSight> FileSights() const { return {}; }

  virtual std::vector<Loss> Losses() const = 0;

  // Hooks are about to be attached again: what was going on when they were detached is over. By any
  // thread.
  virtual void BeforeAttach() {}

  // More hooks are attached than before: programs of them may be used.
  virtual void AfterAttach() {}

  // What somebody did to its tables that no look can undo, as reading them showed; empty: nothing.
  virtual absl::string_view Tampered() const { return {}; }

  // Whether its tables are as its programs and this object left them: DATA_LOSS, naming what
  // somebody else has changed. Call it every few seconds.
  virtual absl::Status Audit() { return absl::OkStatus(); }
};

// The sum of the losses of SOURCE that matter.
uint64_t LossesThatMatter(const Source& source);

}  // namespace kvmsentry
