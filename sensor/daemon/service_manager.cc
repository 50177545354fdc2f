#include "sensor/daemon/service_manager.h"

#include <systemd/sd-daemon.h>

namespace kvmsentry {
namespace {

constexpr int64_t kNsPerUs = 1000;
constexpr int64_t kTimesWithin = 4;

}  // namespace

void TellReady() { sd_notify(0, "READY=1"); }

void TellReloading(KernelTime now) {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(now.ns / kNsPerUs));
}

void TellStopping() { sd_notify(0, "STOPPING=1"); }

UnitWatchdog::UnitWatchdog() {
  uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) > 0) {
    period_ns_ = static_cast<int64_t>(limit_us) * kNsPerUs / kTimesWithin;
  }
}

void UnitWatchdog::Ticked(KernelTime now) {
  if (period_ns_ == 0 || now - told_at_ < period_ns_) return;
  told_at_ = now;
  sd_notify(0, "WATCHDOG=1");
}

}  // namespace kvmsentry
