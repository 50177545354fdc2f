// What /proc says of processes, read by a worker, for an inventory that must not wait.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {

// By the pid that was asked for, which may be a thread's.
using ProcessAnswers = std::map<int32_t, absl::StatusOr<ProcessFacts>>;

// Reads; the worker's. READER outlives it. Not thread safe.
class ProcessSurvey {
 public:
  explicit ProcessSurvey(ProcessReader* reader) : reader_(reader) {}

  // All of PIDS. Facts that were read less than kReadAgainNs ago are not read again, if the process
  // is the same.
  ProcessAnswers Ask(std::span<const int32_t> pids, KernelTime now);

  static constexpr int64_t kReadAgainNs = 5 * kNsPerSecond;

 private:
  struct Known {
    ProcessFacts facts;
    KernelTime read_at;
  };
  ProcessReader* reader_;
  std::map<int32_t, Known> known_;
};

// Answers; the loop's. What was not asked yet is pending: it is read as if there was no such
// process, and noted. Not thread safe.
class ProcessBoard final : public ProcessReader {
 public:
  // A look of the inventory begins, at NOW.
  void Begin(KernelTime now) { now_ = now; }
  // For the next look only: a pid may be another process's then.
  void Answer(ProcessAnswers answers);
  // The look is over. Answers go.
  void End() { answers_.clear(); }
  // What was asked for in vain, until it is answered.
  std::vector<int32_t> Wanted() const;

  absl::StatusOr<ProcessFacts> Read(int32_t pid) override;
  absl::StatusOr<uint64_t> ReadStart(int32_t pid) override;
  // Not for longer than kPatienceNs: then the worker hangs, and the VM must appear without a name.
  bool Pending(int32_t pid) override;

  static constexpr int64_t kPatienceNs = 2 * kNsPerSecond;

 private:
  KernelTime now_;
  ProcessAnswers answers_;
  std::map<int32_t, KernelTime> wanted_;  // since when
};

}  // namespace kvmsentry
