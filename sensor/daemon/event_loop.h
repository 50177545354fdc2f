// Waits for the ring, for uevents, for the tick and for a signal to end.
#pragma once

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/daemon/pipeline.h"

namespace kvmsentry {

// Blocks SIGTERM and SIGINT in this thread and those it starts from now on: call before any other
// thread is made. RunEventLoop then reads them.
absl::Status BlockSignals();

// Drives PIPELINE every TICK_NS, and at once when the kernel has something to say, until SIGTERM or
// SIGINT. Returns OK at the signal.
absl::Status RunEventLoop(Pipeline& pipeline, int64_t tick_ns);

}  // namespace kvmsentry
