// The one way through the house: probe, record, inventory, engine, hub.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/base/status.h"
#include "sensor/daemon/cost_guard.h"
#include "sensor/daemon/coverage.h"
#include "sensor/daemon/self_watch.h"
#include "sensor/engine/engine.h"
#include "sensor/inventory/device_reader.h"
#include "sensor/inventory/host.h"
#include "sensor/inventory/inventory.h"
#include "sensor/inventory/process.h"
#include "sensor/inventory/uevent.h"
#include "sensor/inventory/walk_schedule.h"
#include "sensor/probe/cost_meter.h"
#include "sensor/probe/probe.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/source/registry.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

struct PipelineOptions {
  ProbeOptions probe;
  EngineOptions engine;
  double cost_budget = 0;  // percent of all processors' time that programs may take; 0: no limit
  HostFacts host;
};

// One thread drives it (On...), others may look (SensorView). Thread safe.
class Pipeline final : public SensorView {
 public:
  // The clock and the hub outlive the pipeline.
  static absl::StatusOr<std::unique_ptr<Pipeline>> Start(const PipelineOptions& options,
                                                         std::shared_ptr<const SpecLibrary> library,
                                                         const Clock& clock, Hub& hub);

  // Readable when OnWake() has something to do.
  int ring_fd() const { return sources_->probe().ring_fd(); }
  int uevent_fd() const { return uevents_.fd(); }

  // The ring or the uevents have something: whatever is told there is taken at once.
  void OnWake();
  // Time to look at all counters.
  void OnTick();

  SensorStatus Status() const override;
  std::vector<VmView> Vms(bool with_exits) const override;
  std::vector<SpecView> Specs() const override;

 private:
  Pipeline(const PipelineOptions& options, std::shared_ptr<const SpecLibrary> library,
           const Clock& clock, Hub& hub, std::unique_ptr<Sources> sources, UeventSocket uevents);

  void TakeUevents();
  void TakeRecords();
  void DrainRing();
  void SyncInventory();
  void AttachMissing();
  // A walk over all open files, if one is due; its files are in FILES, which must outlive it.
  std::optional<Walk> MakeWalk(std::vector<ks_open_file>* files);
  void WalkDevices(Walk* walk);
  void CountFailedWalk(const absl::Status& status);
  void Appear(const VmEntry& vm, KernelTime now);
  void Vanish(const VmGone& gone, KernelTime now);
  void Sample(KernelTime now);
  void LookAtSelf(KernelTime now);
  void Tampered(absl::string_view detail, KernelTime now);
  void WatchCost(KernelTime now);
  void Publish(AlertEvent event);
  void Raise(KernelTime now);
  absl::Time WallAt(KernelTime time) const;
  std::vector<HookCoverage> CurrentHooks() const;

  const PipelineOptions options_;
  const std::shared_ptr<const SpecLibrary> library_;
  const Clock& clock_;
  Hub& hub_;
  const absl::Time started_at_;
  const int64_t unobserved_ns_;

  mutable std::mutex mutex_;  // guards all below
  std::unique_ptr<Sources> sources_;
  UeventSocket uevents_;
  ProcFs processes_;
  Inventory inventory_;
  DeviceReader device_reader_;
  WalkSchedule walks_;
  uint64_t failed_walks_ = 0;
  bool uevents_ok_ = true;
  std::optional<KernelTime> attach_at_;  // when to try again what is not attached
  std::vector<std::string> to_attach_;   // objects that are being tried
  Engine engine_;
  std::vector<FeatureId> active_;  // features of which a hook is attached
  struct Watched {
    VmEntry entry;
    absl::Time first_seen;
  };
  std::map<VmId, Watched> vms_;
  // Of each open alert, by its spec, when it opened: told alike with each of its steps, although
  // the two clocks drift.
  std::map<std::pair<VmId, std::string>, absl::Time> opened_;
  KernelTime sampled_at_;
  SilenceWatch silence_;
  bool attached_ = false;  // a hook, since the latest sample
  CanaryWatch canary_;
  SelfWatch self_;
  std::string tampered_;  // what somebody did to the maps that no look can undo
  CostMeter cost_meter_;
  CostGuard cost_guard_;
  std::vector<HookCost> costs_;  // of the latest measurement
  absl::Status cost_status_;     // why there is none
  int ticks_unmeasured_ = 0;
  int64_t next_look_ns_ = 0;
  uint64_t losses_ = 0;       // that matter, as of the latest tick
  KernelTime recorded_at_;    // the latest that a record names
  bool born_ = false;         // a record told of a VM, and nobody has looked since
  uint64_t bad_records_ = 0;  // records that no program of ours writes
  uint64_t serial_ = 0;       // of the observations
};

}  // namespace kvmsentry
