// All VMs of the process and the threads that run their vCPUs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "tests/guest/handles.h"
#include "tests/guest/options.h"
#include "tests/guest/vcpu_task.h"
#include "tests/guest/vm.h"

namespace kvmsentry::guest {

// One thread owns it; its own threads stay inside.
class Fleet {
 public:
  // Creates VMs, vCPUs and threads. No vCPU runs before Begin().
  static absl::StatusOr<std::unique_ptr<Fleet>> Create(const Options& options);
  ~Fleet();

  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void Begin();

  // Readable once every vCPU is complete, or one failed.
  int DoneFd() const { return done_.get(); }

  bool Failed();

  // Ends all vCPUs, each after the operation that it is in. The first failure of any, if one
  // failed.
  absl::Status Stop();

  // After Stop().
  std::vector<VcpuReport> Reports() const;

 private:
  explicit Fleet(const Options& options) : options_(options) {}
  absl::Status AddVm(const Kvm& kvm, const Workload& workload);
  void StartThreads();
  void RunThread(absl::Span<VcpuTask> tasks);
  absl::Status RunTasks(absl::Span<VcpuTask> tasks);
  void NoteComplete();
  void SignalDone();

  const Options options_;
  UniqueFd done_;
  std::vector<Vm> vms_;
  std::vector<VcpuTask> tasks_;  // of all VMs, in their order; fixed once threads run
  std::vector<std::thread> threads_;

  enum class Phase { kReady, kRunning, kStopping };
  std::atomic<Phase> phase_ = Phase::kReady;  // changed under mutex_, read anywhere
  std::mutex mutex_;
  std::condition_variable phase_changed_;
  absl::Status failure_;   // under mutex_
  size_t tasks_left_ = 0;  // under mutex_
};

}  // namespace kvmsentry::guest
