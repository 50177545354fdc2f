#include "sensor/daemon/event_loop.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

namespace kvmsentry {
namespace {

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

absl::StatusOr<Fd> MakeTimer(int64_t period_ns) {
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return absl::ErrnoToStatus(errno, "timerfd_create");
  const timespec period{.tv_sec = period_ns / kNsPerSecond, .tv_nsec = period_ns % kNsPerSecond};
  const itimerspec spec{.it_interval = period, .it_value = period};
  if (timerfd_settime(timer.get(), 0, &spec, nullptr) != 0) {
    return absl::ErrnoToStatus(errno, "timerfd_settime");
  }
  return timer;
}

absl::Status Watch(const Fd& epoll, int fd, uint32_t events = EPOLLIN) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, "epoll_ctl");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BlockSignals() {
  const sigset_t signals = EndSignals();
  const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "pthread_sigmask");
}

absl::Status RunEventLoop(Pipeline& pipeline, int64_t tick_ns) {
  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return absl::ErrnoToStatus(errno, "epoll_create1");
  const sigset_t signals = EndSignals();
  const Fd ending(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!ending) return absl::ErrnoToStatus(errno, "signalfd");
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd timer, MakeTimer(tick_ns));
  for (const int fd : {ending.get(), timer.get(), pipeline.ring_fd()}) {
    KVMSENTRY_RETURN_IF_ERROR(Watch(epoll, fd));
  }
  // Woken by what comes, not by what is there: a socket that cannot be read must not keep this
  // thread busy. What a wake leaves is taken by the next tick.
  KVMSENTRY_RETURN_IF_ERROR(Watch(epoll, pipeline.uevent_fd(), EPOLLIN | EPOLLET));
  for (;;) {
    std::array<epoll_event, 4> events;
    const int count = epoll_wait(epoll.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "epoll_wait");
    bool tick = false;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == ending.get()) return absl::OkStatus();
      if (fd != timer.get()) continue;
      uint64_t expirations = 0;
      tick = read(fd, &expirations, sizeof(expirations)) > 0;
    }
    if (tick) {
      pipeline.OnTick();
    } else if (count > 0) {
      pipeline.OnWake();
    }
  }
}

}  // namespace kvmsentry
