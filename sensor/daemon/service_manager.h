// Reports to systemd, where that started the daemon as a unit of Type=notify (sd_notify(3));
// started by hand, it reports to nobody. Thread safe.
#pragma once

#include <cstdint>

#include "sensor/base/time.h"

namespace kvmsentry {

// The start is complete.
void TellReady();
// A reload has begun, as of NOW; TellReady ends it.
void TellReloading(KernelTime now);
// The end has begun.
void TellStopping();

// Keeps the unit's watchdog (WatchdogSec=) quiet for as long as it is called. Not thread safe.
class UnitWatchdog {
 public:
  UnitWatchdog();
  // At every tick; says so to systemd a few times within the watchdog's time.
  void Ticked(KernelTime now);

 private:
  int64_t period_ns_ = 0;  // 0: the unit has no watchdog
  KernelTime told_at_;
};

}  // namespace kvmsentry
