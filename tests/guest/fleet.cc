#include "tests/guest/fleet.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "absl/strings/str_format.h"

#include "tests/guest/guest_code.h"
#include "tests/guest/layout.h"
#include "tests/guest/long_mode.h"

namespace kvmsentry::guest {
namespace {

// Interrupts KVM_RUN; its handler does nothing, as immediate_exit closes the race (Vcpu::Kick).
constexpr int kKickSignal = SIGUSR1;

// With one thread for all, a guest that never exits has to come back for the others' sake.
constexpr uint64_t kOneThreadQuantum = 1000;

Pace MakePace(const Options& options, const Workload& workload) {
  const uint64_t step = OperationsPerInstruction(workload);
  if (workload.behaviour == Behaviour::kCalm) return Pace(0, 0, 0, step);
  const bool quantum = options.one_thread && !ExitsToUserSpace(workload.behaviour);
  return Pace(options.count > 0 ? options.count : Pace::kUnlimited, options.rate,
              quantum ? kOneThreadQuantum : 0, step);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Create(const Options& options) {
  absl::StatusOr<Kvm> kvm = Kvm::Open();
  if (!kvm.ok()) return kvm.status();
  const Workload& workload = options.workload;
  if (LeavesMemory(workload.behaviour) && workload.gpa >> kvm->PhysicalAddressBits() != 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "--gpa does not fit the %u bits of a guest here", kvm->PhysicalAddressBits()));
  }

  if (workload.behaviour == Behaviour::kNested && !kvm->NestsSvm()) {
    return absl::UnimplementedError("this KVM gives its guests no SVM: load kvm_amd with nested=1");
  }

  std::unique_ptr<Fleet> fleet(new Fleet(options));
  fleet->done_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (fleet->done_.get() < 0) return absl::ErrnoToStatus(errno, "eventfd");
  for (uint32_t i = 0; i < options.vms + options.calm_vms; ++i) {
    const absl::Status status = fleet->AddVm(*kvm, i < options.vms ? workload : Workload());
    if (!status.ok()) return status;
  }
  fleet->StartThreads();
  return fleet;
}

Fleet::~Fleet() { Stop().IgnoreError(); }

absl::Status Fleet::AddVm(const Kvm& kvm, const Workload& workload) {
  absl::StatusOr<Vm> vm = Vm::Create(kvm, workload, options_.memory_kib * 1024);
  if (!vm.ok()) return vm.status();
  WriteSharedState(workload, vm->Memory());
  for (uint32_t i = 0; i < options_.vcpus; ++i) {
    if (workload.behaviour == Behaviour::kNested) WriteControlBlock(i, vm->Memory());
    absl::StatusOr<Vcpu> vcpu = vm->CreateVcpu(kvm, workload, i, InitialRegisters(workload, i));
    if (!vcpu.ok()) return vcpu.status();
    auto* mailbox = reinterpret_cast<Mailbox*>(vm->Memory().subspan(MailboxAddress(i)).data());
    tasks_.emplace_back(static_cast<uint32_t>(vms_.size()), i, workload,
                        MakePace(options_, workload), *std::move(vcpu), mailbox);
    if (i + options_.hang >= options_.vcpus) tasks_.back().Hang();
    if (i + options_.spin >= options_.vcpus) tasks_.back().Spin();
  }
  vms_.push_back(*std::move(vm));
  return absl::OkStatus();
}

void Fleet::StartThreads() {
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  ::sigaction(kKickSignal, &nothing, nullptr);  // can't fail: the signal is a valid one

  tasks_left_ = tasks_.size();
  const size_t each = options_.one_thread ? tasks_.size() : 1;
  for (size_t first = 0; first < tasks_.size(); first += each) {
    threads_.emplace_back(
        [this, tasks = absl::MakeSpan(tasks_).subspan(first, each)] { RunThread(tasks); });
  }
}

void Fleet::Begin() {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::kRunning;
  phase_changed_.notify_all();
}

bool Fleet::Failed() {
  const std::lock_guard lock(mutex_);
  return !failure_.ok();
}

absl::Status Fleet::Stop() {
  {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::kStopping;
    phase_changed_.notify_all();
  }
  for (VcpuTask& task : tasks_) task.Kick();
  for (std::thread& thread : threads_) ::pthread_kill(thread.native_handle(), kKickSignal);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return failure_;
}

void Fleet::RunThread(absl::Span<VcpuTask> tasks) {
  {
    std::unique_lock lock(mutex_);
    phase_changed_.wait(lock, [this] { return phase_ != Phase::kReady; });
  }
  absl::Status status = RunTasks(tasks);
  for (VcpuTask& task : tasks) {
    if (status.ok()) status = task.Drain();
  }
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = status;
  SignalDone();
}

// In turn, each that is due; asleep while none is. The clock is read for sleepers only, so that a
// storm pays for nothing but its KVM_RUN.
absl::Status Fleet::RunTasks(absl::Span<VcpuTask> tasks) {
  while (phase_.load(std::memory_order_relaxed) == Phase::kRunning) {
    bool ran = false;
    Clock::time_point earliest = Clock::time_point::max();
    for (VcpuTask& task : tasks) {
      if (task.WakeTime().has_value() && *task.WakeTime() > Clock::now()) {
        earliest = std::min(earliest, *task.WakeTime());
        continue;
      }
      const bool was_complete = task.Complete();
      if (absl::Status status = task.Step(); !status.ok()) return status;
      if (!was_complete && task.Complete()) NoteComplete();
      ran = true;
    }
    if (ran) continue;
    std::unique_lock lock(mutex_);
    phase_changed_.wait_until(lock, earliest, [this] { return phase_ == Phase::kStopping; });
  }
  return absl::OkStatus();
}

void Fleet::NoteComplete() {
  const std::lock_guard lock(mutex_);
  if (--tasks_left_ == 0) SignalDone();
}

void Fleet::SignalDone() {
  ::eventfd_write(done_.get(), 1);  // fails only when the counter is full, after 2^64 calls
}

std::vector<VcpuReport> Fleet::Reports() const {
  std::vector<VcpuReport> reports;
  reports.reserve(tasks_.size());
  for (const VcpuTask& task : tasks_) reports.push_back(task.Report());
  return reports;
}

}  // namespace kvmsentry::guest
