#include "sensor/daemon/event_loop.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

namespace kvmsentry {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
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

struct Asked {
  bool to_end = false;
  bool to_reload = false;
};

// What the signals that FD has ask for.
Asked ReadSignals(int fd) {
  Asked asked;
  signalfd_siginfo signal{};
  while (read(fd, &signal, sizeof(signal)) == sizeof(signal)) {
    (signal.ssi_signo == SIGHUP ? asked.to_reload : asked.to_end) = true;
  }
  return asked;
}

}  // namespace

absl::Status BlockSignals() {
  const sigset_t signals = Signals();
  const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "pthread_sigmask");
}

absl::Status RunEventLoop(Sensor& sensor, int64_t tick_ns, const std::function<void()>& ticked) {
  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return absl::ErrnoToStatus(errno, "epoll_create1");
  const sigset_t signals = Signals();
  const Fd signal_fd(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signal_fd) return absl::ErrnoToStatus(errno, "signalfd");
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd timer, MakeTimer(tick_ns));
  for (const int fd : {signal_fd.get(), timer.get()}) KVMSENTRY_RETURN_IF_ERROR(Watch(epoll, fd));
  for (const int fd : sensor.wake_fds()) KVMSENTRY_RETURN_IF_ERROR(Watch(epoll, fd));
  // Woken by what comes, not by what is there: a socket that cannot be read must not keep this
  // thread busy. What a wake leaves is taken by the next tick.
  KVMSENTRY_RETURN_IF_ERROR(Watch(epoll, sensor.uevent_fd(), EPOLLIN | EPOLLET));
  for (;;) {
    std::array<epoll_event, 8> events;
    const int count = epoll_wait(epoll.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "epoll_wait");
    uint64_t expirations = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == signal_fd.get()) {
        const Asked asked = ReadSignals(fd);
        if (asked.to_end) return absl::OkStatus();
        if (asked.to_reload) sensor.ReloadSpecs();
      }
      if (fd == timer.get() && read(fd, &expirations, sizeof(expirations)) < 0) expirations = 0;
    }
    if (expirations > 0) {
      sensor.OnTick(expirations - 1);
      ticked();
    } else if (count > 0) {
      sensor.OnWake();
    }
  }
}

}  // namespace kvmsentry
