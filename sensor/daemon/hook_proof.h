// That hooks fire, proven by the canary VM before any guest is at stake, and that nobody takes the
// canary for a VM of the host.
#pragma once

#include <atomic>
#include <cstdint>

#include "bpf/kvm/records.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/probe/canary_acts.h"
#include "sensor/source/registry.h"

namespace kvmsentry {

class HookProof {
 public:
  // BEGAN is before any program of this run counted. SOURCES and ACTS outlive it.
  HookProof(Sources& sources, const CanaryActs& acts, KernelTime began)
      : sources_(sources), acts_(acts), began_(began) {}

  // Makes hooks on processes fire, runs the canary VM, and has the probe judge its hooks by that,
  // if it came to its end. For whoever may change the probe's hooks now, the loop or its worker.
  void Run();

  // Whether a canary came to its end and hooks were judged.
  bool proven() const { return proven_; }

  // Whether ROW is the canary's, and no VM of the host. Any thread.
  bool IsCanarys(const ks_vm_row& row) const;

  // Frees the canary's row, whether or not the canary came to its end. For the loop, after Run()
  // has returned.
  void ReleaseRow();

 private:
  Sources& sources_;
  const CanaryActs& acts_;
  const KernelTime began_;
  std::atomic<uint32_t> creator_ = 0;  // the thread that makes it; 0: none did yet
  std::atomic<bool> proven_ = false;
};

}  // namespace kvmsentry
