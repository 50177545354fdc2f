// One vCPU at its work: hands the guest batches of operations, answers its exits, counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"

#include "tests/guest/layout.h"
#include "tests/guest/pace.h"
#include "tests/guest/vm.h"
#include "tests/guest/workload.h"

namespace kvmsentry::guest {

using Clock = std::chrono::steady_clock;

struct ExitCounts {
  uint64_t io = 0;
  uint64_t mmio = 0;
  uint64_t hlt = 0;
  uint64_t intr = 0;
  uint64_t ring_full = 0;
};

struct VcpuReport {
  uint32_t vm = 0;
  uint32_t vcpu = 0;
  Behaviour behaviour = Behaviour::kCalm;
  uint64_t operations = 0;  // counted by the guest
  uint64_t gp_faults = 0;
  ExitCounts exits;
  DirtyCounts dirty;
  // Of the storm: from its first KVM_RUN until its last operation was seen done.
  Clock::time_point begin;
  Clock::time_point end;
};

// Not thread-safe but for Kick; one thread runs it at a time.
class VcpuTask {
 public:
  // `mailbox` lies in the guest's memory.
  VcpuTask(uint32_t vm, uint32_t index, const Workload& workload, const Pace& pace, Vcpu vcpu,
           Mailbox* mailbox);

  // One KVM_RUN. Afterwards the task is to be stepped again at WakeTime(), or at once without one.
  absl::Status Step();
  const std::optional<Clock::time_point>& WakeTime() const { return wake_; }

  // It comes back from the guest once more, and never goes there again.
  void Hang() { hangs_ = true; }
  // The same, but its thread does not sleep.
  void Spin() { spins_ = true; }

  // All operations are done; the vCPU is calm from now on.
  bool Complete() const { return complete_; }

  // Cuts a storm short: lets the guest end the operation that it is in, so that what it counted is
  // what happened.
  absl::Status Drain();

  // From any thread.
  void Kick() { vcpu_.Kick(); }

  VcpuReport Report() const;

 private:
  uint64_t Left() const;
  void SetLeft(uint64_t operations);
  void BeginBatch();
  void OnHalt();
  absl::Status RunOnce();

  uint32_t vm_;
  uint32_t index_;
  Workload workload_;
  Pace pace_;
  Vcpu vcpu_;
  Mailbox* mailbox_;

  uint64_t runs_ = 0;
  uint64_t done_ = 0;   // operations of finished batches
  uint64_t batch_ = 0;  // operations of the current one
  std::optional<Clock::time_point> wake_;
  bool hangs_ = false, spins_ = false;
  bool begun_ = false;
  bool complete_ = false;
  Clock::time_point begin_;
  Clock::time_point end_;
  ExitCounts exits_;
  DirtyCounts dirty_;
};

}  // namespace kvmsentry::guest
