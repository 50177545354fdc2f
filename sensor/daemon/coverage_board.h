// What hooks, features and specs cover now, worked out only when something changes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sensor/daemon/coverage.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// Not thread safe; what view() gives may be read by any thread.
class CoverageBoard {
 public:
  explicit CoverageBoard(std::shared_ptr<const SpecLibrary> library);

  // Where hooks stand after some were attached, or (MORE false) detached.
  void Take(std::vector<HookCoverage> attached, bool more);
  void SetLibrary(std::shared_ptr<const SpecLibrary> library);
  // Counts were read just now, and SIGHTS are those of all sources: hooks may turn out to stay
  // silent, or to give nothing of some VMs.
  void Observe(std::span<const KvmCounts> counts, std::vector<FileSight> sights);

  struct View {
    std::vector<HookCoverage> hooks;
    std::vector<FeatureId> told;  // features that are not missing from what a VM has counted
    std::vector<SpecView> specs;
  };
  std::shared_ptr<const View> view() const { return view_; }
  // Features of which a hook is attached, whether or not it stays silent.
  const std::vector<FeatureId>& active() const { return active_; }
  bool Has(absl::string_view hook) const;  // attached, and not DEGRADED

 private:
  void Rebuild();

  std::shared_ptr<const SpecLibrary> library_;
  std::vector<HookCoverage> attached_;
  SilenceWatch silence_;
  bool begin_ = false;           // the silence watch is to begin again: hooks were attached
  std::vector<Coverage> heard_;  // of each hook, what the silence watch said at the last rebuild
  std::vector<FileSight> sights_;
  std::vector<FeatureId> active_;
  std::shared_ptr<const View> view_;
};

}  // namespace kvmsentry
