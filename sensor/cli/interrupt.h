// Waits for what ends a command that would go on for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "sensor/base/fd.h"

namespace kvmsentry {

// From its making on, SIGINT and SIGTERM no longer end the process: a thread reads them from a
// descriptor, so nothing runs in a signal handler, and calls ON_INTERRUPT, once. So it does when
// the reader of WATCHED_FD, a pipe or a terminal, has gone. If it is not destroyed within a second
// of that, because the command is stuck in writing to a reader that does not read, the process
// ends with 0. Make it before any other thread.
class Interrupt {
 public:
  Interrupt(int watched_fd, std::function<void()> on_interrupt);
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  bool happened() const;
  // False if the time has passed without one.
  bool WaitFor(std::chrono::milliseconds time);

 private:
  void Watch();

  const int watched_fd_;
  const std::function<void()> on_interrupt_;
  Fd signals_;
  Fd end_;  // readable when the thread is to end
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool happened_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace kvmsentry
