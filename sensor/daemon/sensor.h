// The one way through the house: kernel and host, inventory, engine, journal. Its parts have a
// concern and a file each; what happens at a tick, and in which order, is here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/base/status.h"
#include "sensor/daemon/coverage_board.h"
#include "sensor/daemon/hook_proof.h"
#include "sensor/daemon/host_watch.h"
#include "sensor/daemon/housekeeper.h"
#include "sensor/daemon/log_quota.h"
#include "sensor/daemon/losses.h"
#include "sensor/daemon/observer.h"
#include "sensor/daemon/publisher.h"
#include "sensor/daemon/self_check.h"
#include "sensor/daemon/snapshot.h"
#include "sensor/daemon/spec_keeper.h"
#include "sensor/daemon/spec_loader.h"
#include "sensor/daemon/tap_names.h"
#include "sensor/daemon/vm_registry.h"
#include "sensor/engine/engine.h"
#include "sensor/inventory/host.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/source/registry.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

struct SensorOptions {
  ProbeOptions probe;
  EngineOptions engine;
  double cost_budget = 0;  // percent of all processors' time that programs may take; 0: no limit
  HostFacts host;
  SpecFolders specs;
  // Why alerts do not get to where they should be written; empty: they do.
  std::function<std::string()> outlet_problem = [] { return std::string(); };
  Publisher::SilencedBy silenced_by = Publisher::NoSilence;
};

// One thread drives it (On...), and waits for nothing there: what may block, workers do. view() is
// thread safe.
class Sensor {
 public:
  // LOADER is of OPTIONS.probe and BpfSources(). LIBRARY is that of options.specs, without an
  // error. ACTS, CLOCK, HUB and PULSE, which it writes, outlive the sensor.
  static absl::StatusOr<std::unique_ptr<Sensor>> Start(const SensorOptions& options,
                                                       std::unique_ptr<Loader> loader,
                                                       const LoadedLibrary& library,
                                                       const CanaryActs& acts, const Clock& clock,
                                                       Hub& hub, Pulse& pulse);

  // Readable when OnWake() has something to do.
  std::array<int, 3> wake_fds() const {
    return {sources_->probe().ring_fd(), keeper_.fd(), host_.names_fd()};
  }
  int uevent_fd() const { return host_.uevent_fd(); }

  // The ring, the uevents or a worker have something: it is taken at once.
  void OnWake();
  // Time to look at all counters; LATE ticks before it were left out.
  void OnTick(uint64_t late = 0);

  const SensorView& view() const { return snapshots_; }

  // Which specs are loaded. Its Apply and Reload are thread safe; Close it once OnTick is not
  // called any more.
  SpecKeeper& specs() { return *specs_; }
  void ReloadSpecs() { specs_->OnSignal(clock_.Now()); }

  // The start is complete: pins that it made stay from now on.
  void KeepPins() { sources_->probe().KeepPins(); }
  // What may hold up the destructor, in words.
  std::string Busy() const;

 private:
  struct Parts {
    std::unique_ptr<Sources> sources;
    UeventSocket uevents;
    std::unique_ptr<Worker> names, housekeeping;
    std::unique_ptr<SpecKeeper> specs;
    KernelTime began;  // before any program of this run counted
  };
  Sensor(const SensorOptions& options, const LoadedLibrary& library, const CanaryActs& acts,
         const Clock& clock, Hub& hub, Pulse& pulse, Parts parts);

  void ProveHooks();
  void Use(std::shared_ptr<const SpecLibrary> library);
  bool LookIsDue(KernelTime now) const;
  void Look();
  void TakeRecords();
  void Appear(VmEntry vm, KernelTime now);
  void Watch(const VmEntry& vm, KernelTime now);
  void WatchSources(const VmEntry& vm);
  void CountVcpus(KernelTime now);
  void Describe(const VmRecord& vm);
  void TakeGiven(KernelTime now);
  void Exit(const VmEntry& vm, KernelTime now);
  void TellIfForgotten(Slot slot, KernelTime now);
  void Vanish(const VmGone& gone, KernelTime now);
  void Sample(KernelTime now);
  void LookAtSelf(KernelTime now);
  void Raise(KernelTime now);
  std::vector<LossView> Losses();
  void PostSnapshot();
  SensorStatus BaseStatus(const SensorOptions& options) const;

  std::shared_ptr<const SpecLibrary> library_;
  const Clock& clock_;
  Hub& hub_;
  Pulse& pulse_;
  const std::unique_ptr<Sources> sources_;
  const KernelTime began_;
  const SensorStatus base_status_;  // what never changes of it
  Engine engine_;
  Publisher publisher_;
  const std::function<std::string()> outlet_problem_;
  SelfCheck self_;
  CoverageBoard coverage_;
  VmRegistry registry_;
  TapNames tap_names_;
  Observer observer_;
  SnapshotBoard snapshots_;
  KernelTime looked_at_;
  uint64_t births_ = 0;  // as of then, as what follows
  uint64_t uevents_seen_ = 0;
  uint64_t walks_seen_ = 0;
  uint64_t late_ticks_ = 0;
  RecentLosses recent_losses_;
  LogQuota log_quota_;  // of lines that whoever makes VMs causes
  HookProof proof_;
  HostWatch host_;      // these three come last: their
  Housekeeper keeper_;  // threads use the above
  const std::unique_ptr<SpecKeeper> specs_;
};

}  // namespace kvmsentry
