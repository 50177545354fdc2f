#include "sensor/daemon/end_guard.h"

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "spdlog/spdlog.h"

namespace kvmsentry {

EndGuard::EndGuard(std::chrono::milliseconds grace, std::string busy, int exit_code) {
  // From now on a log that blocks is no reason to end by a signal.
  std::signal(
      SIGALRM, exit_code == 0 ? +[](int) { _exit(0); } : +[](int) { _exit(1); });
  thread_ = std::jthread([grace, busy = std::move(busy), exit_code](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    if (stopped.wait_for(lock, stop, grace, [&stop] { return stop.stop_requested(); })) return;
    if (stop.stop_requested()) return;
    alarm(static_cast<unsigned>(kLogGrace.count()));
    spdlog::warn("ended without waiting any longer: {}", busy);
    _exit(exit_code);
  });
}

}  // namespace kvmsentry
