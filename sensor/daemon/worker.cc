#include "sensor/daemon/worker.h"

#include <cerrno>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<Worker>> Worker::Make(const Clock& clock) {
  Fd ended(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!ended) return absl::ErrnoToStatus(errno, "eventfd");
  return std::unique_ptr<Worker>(new Worker(clock, std::move(ended)));
}

Worker::Worker(const Clock& clock, Fd ended)
    : clock_(clock),
      ended_(std::move(ended)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Worker::~Worker() = default;

void Worker::StartJob(const char* what, Job job) {
  running_ = {.what = what, .since = clock_.Now()};
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
  }
  started_.notify_one();
}

void Worker::Run(const std::stop_token& stop) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      if (!started_.wait(lock, stop, [this] { return job_ != nullptr; })) return;
      job = std::exchange(job_, nullptr);
    }
    std::function<void()> found = job();
    {
      const std::lock_guard lock(mutex_);
      found_ = std::move(found);
    }
    // Cannot fail: the counter is read back to 0 with each job.
    eventfd_write(ended_.get(), 1);
  }
}

bool Worker::Finish() {
  eventfd_t ignored = 0;
  eventfd_read(ended_.get(), &ignored);  // first, so that an end that comes now is not missed
  std::function<void()> found;
  {
    const std::lock_guard lock(mutex_);
    found = std::exchange(found_, nullptr);
  }
  if (!found) return false;
  running_.reset();  // before it is handed over, so that the next job can be started there
  found();
  return true;
}

}  // namespace kvmsentry
