// What the sensor knows as of one tick, for whoever asks: the loop makes one at each tick, and no
// one who reads it holds the loop up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sensor/daemon/coverage_board.h"
#include "sensor/daemon/seen_members.h"
#include "sensor/daemon/vm_registry.h"
#include "sensor/probe/cost_meter.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/source/source.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// Never changed once it is posted. What changes rarely is shared between snapshots.
struct Snapshot {
  struct Vm {
    std::shared_ptr<const VmRecord> record;
    int64_t score_millipoints = 0;
    uint32_t open_alerts = 0;
    std::shared_ptr<const SeenMembers> members = {};  // nullptr: none was seen
  };

  KernelTime at;
  SensorStatus status;  // without hooks and specs
  std::shared_ptr<const CoverageBoard::View> coverage;
  std::vector<HookCost> costs;
  std::vector<Vm> vms;
  std::vector<std::shared_ptr<const SourceCounts>> counts;  // of each source
  std::shared_ptr<const SpecLibrary> library;
  absl::Time wall;  // at `at`
  std::shared_ptr<const std::vector<VmView>> unwatched;
};

// Where the latest snapshot hangs. Thread safe.
class SnapshotBoard final : public SensorView {
 public:
  // Reads why the vCPUs left their guests, at the time of the call and from any thread.
  using ExitsReader = std::function<std::vector<VcpuExits>()>;
  explicit SnapshotBoard(ExitsReader exits) : exits_(std::move(exits)) {}

  void Post(std::shared_ptr<const Snapshot> snapshot);

  SensorStatus Status() const override;
  std::vector<VmView> Vms(bool with_exits) const override;
  std::vector<SpecView> Specs() const override;
  std::optional<MembersView> Members(VmId vm) const override;

 private:
  // The latest, and one that is one to two seconds older, nullptr in the first second: what rose
  // between the two is the rate now.
  struct Two {
    std::shared_ptr<const Snapshot> latest, before;
  };
  std::shared_ptr<const Snapshot> Get() const { return GetTwo().latest; }
  Two GetTwo() const;

  const ExitsReader exits_;
  mutable std::mutex mutex_;  // held for the copy of a pointer only
  std::shared_ptr<const Snapshot> latest_ = std::make_shared<const Snapshot>();
  std::shared_ptr<const Snapshot> before_, next_before_;
};

}  // namespace kvmsentry
