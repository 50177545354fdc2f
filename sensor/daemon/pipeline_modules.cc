// Modules of KVM, vhost and VFIO that are loaded after the sensor.
#include <utility>

#include "spdlog/spdlog.h"

#include "sensor/daemon/pipeline.h"

namespace kvmsentry {

// Takes as long as loading the hooks at the start would have, and ticks wait for it: counting does
// not.
void Pipeline::AttachMissing() {
  if (!attach_at_ || *attach_at_ > clock_.Now()) return;
  attach_at_.reset();
  const absl::StatusOr<size_t> attached = probe_->AttachMissing();
  if (!attached.ok()) {
    spdlog::error(
        "modules were loaded, but their hooks could not be attached; restart kvmsentryd: {}",
        std::string(attached.status().message()));
  }
  active_ = ObservableFeatures(probe_->coverage());
  if (!attached.ok() || *attached == 0) return;
  spdlog::info("modules were loaded: {} more hooks are attached", *attached);
  walks_.Request(clock_.Now());  // there may be VMs that were made before their births were hooked
}

}  // namespace kvmsentry
