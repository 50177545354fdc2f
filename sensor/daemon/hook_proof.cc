#include "sensor/daemon/hook_proof.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "spdlog/spdlog.h"

#include "sensor/probe/canary_vm.h"

namespace kvmsentry {

void HookProof::Run() {
  acts_.Run();
  creator_ = static_cast<uint32_t>(syscall(SYS_gettid));
  const absl::Status ran = RunCanaryVm();
  if (ran.ok()) {
    sources_.probe().JudgeByCanary();
    proven_ = true;
  } else {
    // Without /dev/kvm there is no guest that anything could be missed of.
    spdlog::log(absl::IsNotFound(ran) ? spdlog::level::info : spdlog::level::warn,
                "no hook is proven to fire before a guest makes it fire: {}",
                std::string(ran.message()));
  }
}

// A thread's number is used again, so it alone would be a VM's of an earlier run, too.
bool HookProof::IsCanarys(const ks_vm_row& row) const {
  const uint32_t creator = creator_;
  return creator != 0 && row.creator_pid == creator &&
         KernelTime{static_cast<int64_t>(row.first_ns)} >= began_;
}

void HookProof::ReleaseRow() {
  for (const ks_vm_row& row : sources_.kvm().tables().CopyVms()) {
    if (row.serial == 0 || !IsCanarys(row)) continue;
    const absl::Status released = sources_.Release({{row.serial}, row.slot});
    if (!released.ok()) spdlog::error("{}", std::string(released.message()));
  }
}

}  // namespace kvmsentry
