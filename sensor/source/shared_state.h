// The row that all programs and user space share: serials, versions, the heartbeat.
#pragma once

#include <cstdint>

#include "bpf/records.h"
#include "sensor/base/load.h"
#include "sensor/base/status.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"

namespace kvmsentry {

// Move-only.
class SharedState {
 public:
  static absl::StatusOr<SharedState> Open(const Probe& probe) {
    SharedState shared;
    KVMSENTRY_ASSIGN_OR_RETURN(shared.row_,
                               MappedRows<ks_state>::Map(probe.MapFd("state"), 1, "state"));
    shared.beat_ = Load(shared.row().heartbeat_ns);
    return shared;
  }

  const ks_state& row() const { return row_.rows()[0]; }

  // Whether the maps of SOURCE (enum ks_source) hold nothing of an earlier run.
  bool IsFresh(uint32_t source) const { return Load(row().source_versions[source]) == 0; }

  // The maps of SOURCE are whole, in VERSION: a later run may go on with them.
  void Finish(uint32_t source, uint32_t version) {
    __atomic_store_n(&mutable_row().source_versions[source], version, __ATOMIC_RELEASE);
    __atomic_store_n(&mutable_row().layout_version, KS_LAYOUT_VERSION, __ATOMIC_RELEASE);
  }

  // User space is alive at NS.
  void Beat(uint64_t ns) {
    beat_ = ns;
    __atomic_store_n(&mutable_row().heartbeat_ns, ns, __ATOMIC_RELAXED);
  }

  // DATA_LOSS where somebody else has written to it.
  absl::Status Audit() {
    const uint64_t serials = Load(row().next_serial);
    if (Load(row().layout_version) != KS_LAYOUT_VERSION || Load(row().heartbeat_ns) != beat_ ||
        serials < serials_) {
      return absl::DataLossError("the map state was changed");
    }
    serials_ = serials;
    return absl::OkStatus();
  }

 private:
  ks_state& mutable_row() { return row_.rows()[0]; }

  MappedRows<ks_state> row_;
  uint64_t beat_ = 0;     // the latest
  uint64_t serials_ = 0;  // drawn by the latest audit
};

}  // namespace kvmsentry
