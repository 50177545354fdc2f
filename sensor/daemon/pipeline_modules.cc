// Modules of KVM, vhost and VFIO that are loaded after the sensor.
#include <string>

#include "spdlog/spdlog.h"

#include "sensor/daemon/pipeline.h"

namespace kvmsentry {

// An object at each tick, for each takes its time, and who asks for the status must not wait for
// all. Ticks wait: counting does not.
void Pipeline::AttachMissing() {
  if (attach_at_ && *attach_at_ <= clock_.Now()) {
    attach_at_.reset();
    to_attach_ = sources_->probe().ObjectsWithMissing();
  }
  if (to_attach_.empty()) return;
  const std::string object = to_attach_.front();
  to_attach_.erase(to_attach_.begin());
  const absl::StatusOr<size_t> attached = sources_->probe().AttachMissing(object);
  if (!attached.ok()) {
    spdlog::error(
        "modules were loaded, but the hooks of {} could not be attached; restart kvmsentryd: {}",
        object, std::string(attached.status().message()));
  }
  active_ = ObservableFeatures(sources_->probe().coverage());
  if (!attached.ok() || *attached == 0) return;
  attached_ = true;
  spdlog::info("modules were loaded: {} more hooks of {} are attached", *attached, object);
  walks_.Request(clock_.Now());  // there may be VMs that were made before their births were hooked
}

}  // namespace kvmsentry
