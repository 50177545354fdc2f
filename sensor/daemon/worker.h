// A thread for what may block: walks, /proc, loading programs. The loop starts a job and goes on;
// what the job found comes back to the loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "sensor/base/clock.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// One job at a time, so that the loop chooses which is the most urgent when the last has ended.
// All but the job itself runs on the thread that made the worker. The destructor waits for a job
// under way and drops what it found.
class Worker {
 public:
  static absl::StatusOr<std::unique_ptr<Worker>> Make(const Clock& clock);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Readable when a job has ended.
  int fd() const { return ended_.get(); }

  struct Running {
    const char* what;  // in words, a literal: "walking over open files"
    KernelTime since;
  };
  // The job that was started and not finished.
  const std::optional<Running>& running() const { return running_; }

  // Runs WORK on the worker's thread. Only while nothing is running. DONE gets what WORK returns,
  // within Finish().
  template <typename Work, typename Done>
  void Start(const char* what, Work work, Done done) {
    StartJob(what, [work = std::move(work), done = std::move(done)]() -> std::function<void()> {
      auto result = std::make_shared<decltype(work())>(work());
      return [done, result] { done(std::move(*result)); };
    });
  }

  // If the job has ended, hands over what it found. Returns whether it has.
  bool Finish();

 private:
  using Job = std::function<std::function<void()>()>;

  Worker(const Clock& clock, Fd ended);
  void StartJob(const char* what, Job job);
  void Run(const std::stop_token& stop);

  const Clock& clock_;
  const Fd ended_;
  std::optional<Running> running_;
  std::mutex mutex_;
  std::condition_variable_any started_;
  Job job_;                      // guarded by mutex_: to be run; empty: none
  std::function<void()> found_;  // guarded by mutex_: of the job that has ended; empty: none has
  std::jthread thread_;
};

// The one of two that began first.
inline std::optional<Worker::Running> LongerOf(const std::optional<Worker::Running>& a,
                                               const std::optional<Worker::Running>& b) {
  if (!a || !b) return a ? a : b;
  return a->since <= b->since ? a : b;
}

}  // namespace kvmsentry
