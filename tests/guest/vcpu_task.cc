#include "tests/guest/vcpu_task.h"

#include <atomic>
#include <utility>

namespace kvmsentry::guest {
namespace {

// With this pause a halting guest makes the hundred exits a second of an idle system.
constexpr std::chrono::milliseconds kCalmPause(10);

// Longer than any guest lives.
constexpr std::chrono::hours kHang(10);

}  // namespace

VcpuTask::VcpuTask(uint32_t vm, uint32_t index, const Workload& workload, const Pace& pace,
                   Vcpu vcpu, Mailbox* mailbox)
    : vm_(vm),
      index_(index),
      workload_(workload),
      pace_(pace),
      vcpu_(std::move(vcpu)),
      mailbox_(mailbox) {}

// Atomic because the other side is not this program: the compiler must neither keep nor move it.
uint64_t VcpuTask::Left() const {
  return std::atomic_ref<uint64_t>(mailbox_->left).load(std::memory_order_relaxed);
}

void VcpuTask::SetLeft(uint64_t operations) {
  std::atomic_ref<uint64_t>(mailbox_->left).store(operations, std::memory_order_relaxed);
}

void VcpuTask::BeginBatch() {
  batch_ = pace_.NextBatch(done_);
  SetLeft(batch_);
}

absl::Status VcpuTask::Step() {
  if (!begun_) {
    begun_ = true;
    begin_ = Clock::now();
    BeginBatch();
    if (workload_.debugged) {
      if (absl::Status status = vcpu_.Debug(); !status.ok()) return status;
    }
  }
  wake_.reset();
  if (spins_ && runs_ > 0) return absl::OkStatus();
  const absl::Status ran = RunOnce();
  if (hangs_) wake_ = Clock::now() + kHang;
  return ran;
}

absl::Status VcpuTask::RunOnce() {
  constexpr uint64_t kRewrittenAfter = 10;
  const bool writes = runs_ >= kRewrittenAfter && runs_ < kRewrittenAfter + workload_.rewrites;
  ++runs_;
  if (workload_.rewrite != Rewrite::kNever && writes) {
    if (absl::Status status = vcpu_.Write(workload_.rewrite); !status.ok()) return status;
  }
  const absl::StatusOr<Exit> exit = vcpu_.Run();
  if (!exit.ok()) return exit.status();
  switch (*exit) {
    case Exit::kIo:
      ++exits_.io;
      if (Left() == 0) OnHalt();  // of a guest that goes idle by a port
      break;
    case Exit::kMmio:
      ++exits_.mmio;
      break;
    case Exit::kIntr:
      ++exits_.intr;
      break;
    case Exit::kRingFull:
      ++exits_.ring_full;
      return vcpu_.Harvest(dirty_);
    case Exit::kHlt:
      ++exits_.hlt;
      if (Left() == 0) OnHalt();
      return vcpu_.Harvest(dirty_);
  }
  return absl::OkStatus();
}

void VcpuTask::OnHalt() {
  done_ += batch_;
  BeginBatch();
  if (batch_ > 0) {
    if (pace_.Paced()) wake_ = begin_ + pace_.Due(done_);
    return;
  }
  const Clock::time_point now = Clock::now();
  if (!complete_) end_ = now;
  complete_ = true;
  wake_ = now + kCalmPause;
}

absl::Status VcpuTask::Drain() {
  // See guest_code.S for why the guest will count exactly one more instruction from here.
  const uint64_t step = OperationsPerInstruction(workload_);
  const uint64_t rest = Left();
  if (rest > 0) {
    done_ += batch_ - rest;
    batch_ = step;
    SetLeft(step);
    pace_ = Pace(done_ + step, 0, 0, step);
  }
  while (begun_ && !complete_) {
    vcpu_.ClearKick();  // each time: the kick may arrive after the request to stop was seen
    if (absl::Status status = RunOnce(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

VcpuReport VcpuTask::Report() const {
  VcpuReport report;
  report.vm = vm_;
  report.vcpu = index_;
  report.behaviour = workload_.behaviour;
  report.operations = done_ + batch_ - Left();
  report.gp_faults = std::atomic_ref<uint64_t>(mailbox_->gp_faults).load();
  report.exits = exits_;
  report.dirty = dirty_;
  report.begin = begin_;
  report.end = end_;
  return report;
}

}  // namespace kvmsentry::guest
