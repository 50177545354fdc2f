#include "sensor/cli/interrupt.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace kvmsentry {

Interrupt::Interrupt(int watched_fd, std::function<void()> on_interrupt)
    : watched_fd_(watched_fd), on_interrupt_(std::move(on_interrupt)) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  signals_ = Fd(signalfd(-1, &ending, SFD_CLOEXEC));
  end_ = Fd(eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] { Watch(); });
}

Interrupt::~Interrupt() {
  const uint64_t one = 1;
  // An eventfd takes it always.
  [[maybe_unused]] const ssize_t written = write(end_.get(), &one, sizeof(one));
  thread_.join();
}

bool Interrupt::happened() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

bool Interrupt::WaitFor(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [&] { return happened_; });
}

void Interrupt::Watch() {
  // With no events asked for, poll tells only errors: that the other end has gone.
  std::array<pollfd, 3> polled = {{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = end_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = watched_fd_, .events = 0, .revents = 0}}};
  while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  if (polled[1].revents != 0) return;
  {
    const std::lock_guard lock(mutex_);
    happened_ = true;
  }
  changed_.notify_all();
  on_interrupt_();
  constexpr int kGraceMs = 1000;
  if (poll(&polled[1], 1, kGraceMs) == 0) _exit(0);
}

}  // namespace kvmsentry
