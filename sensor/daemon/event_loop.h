// Waits for the ring, for uevents, for the tick and for a signal to end.
#pragma once

#include <functional>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/daemon/sensor.h"

namespace kvmsentry {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts from now on: call before any
// other thread is made. RunEventLoop then reads them.
absl::Status BlockSignals();

// Drives SENSOR every TICK_NS, and at once when the kernel or a worker has something to say, until
// SIGTERM or SIGINT, and calls TICKED after each tick. Returns OK at the signal. SIGHUP asks for
// a reload of the specs.
absl::Status RunEventLoop(Sensor& sensor, int64_t tick_ns, const std::function<void()>& ticked);

}  // namespace kvmsentry
