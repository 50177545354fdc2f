// How the pipeline watches itself.
#include <algorithm>
#include <string>

#include "spdlog/spdlog.h"

#include "sensor/base/load.h"
#include "sensor/daemon/pipeline.h"

namespace kvmsentry {
namespace {

constexpr int64_t kLookNs = 2 * kNsPerSecond;

std::string DetailOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

// A canary of the last look has had all ticks since to come back.
void Pipeline::LookAtSelf(KernelTime now) {
  if (now.ns < next_look_ns_) return;
  next_look_ns_ = now.ns + kLookNs;
  std::string lost = canary_.under_way() ? "a canary did not come back" : "";
  if (canary_.under_way()) canary_.Refused();
  if (const std::optional<uint64_t> number = canary_.Send()) {
    const absl::Status sent = probe_->SendCanary(*number);
    if (!sent.ok()) {
      canary_.Refused();
      lost = DetailOf(sent);
    }
  }
  self_.Judge(Fault::kRing, lost, now);
  const absl::Status audit = probe_->tables().Audit();
  self_.Judge(Fault::kTables, tampered_.empty() ? DetailOf(audit) : tampered_, now);
  self_.Judge(Fault::kPins, DetailOf(probe_->AuditPins()), now);
  self_.Judge(Fault::kLinks, DetailOf(probe_->AuditLinks()), now);
  self_.Judge(Fault::kSight, probe_->sight().detail, now);
}

// The tables stay wrong: the alert stays open until a restart.
void Pipeline::Tampered(absl::string_view detail, KernelTime now) {
  if (!tampered_.empty()) return;
  tampered_ = std::string(detail);
  self_.Judge(Fault::kTables, tampered_, now);
}

// Whether the VM in SLOT was found a second time, as if it were new. Where births are hooked, a VM
// at an address that is used again is seen to be born, and the row before it is marked.
bool Pipeline::WasForgotten(Slot slot) const {
  const std::span<const ks_vm_row> rows = probe_->tables().vms();
  const ks_vm_row& row = rows[slot];
  const bool births = std::ranges::any_of(probe_->coverage(), [](const HookCoverage& hook) {
    return hook.hook->name == "kvm_track_tsc" && hook.coverage == Coverage::kActive;
  });
  return births && Load(row.state) == KS_VM_ALIVE &&
         std::ranges::any_of(rows, [&](const ks_vm_row& other) {
           return Load(other.kvm) == Load(row.kvm) && Load(other.serial) > Load(row.serial) &&
                  Load(other.born_seen) == 0;
         });
}

// KVM's counters never go back, so a sum that does was written by somebody.
void Pipeline::CompareCounts(const std::vector<VmCounts>& before, KernelTime now) {
  for (const VmCounts& counts : counts_) {
    for (const VmCounts& earlier : before) {
      if (earlier.vm != counts.vm) continue;
      for (size_t meter = 0; meter < KS_METER_COUNT; ++meter) {
        if (counts.count[meter] >= earlier.count[meter]) continue;
        Tampered("a count in the map vcpus or queues went back", now);
      }
    }
  }
}

}  // namespace kvmsentry
