// Where alerts and metrics go without a client of ours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sensor/alert/hub.h"
#include "sensor/alert/silence_book.h"
#include "sensor/base/clock.h"
#include "sensor/base/pulse.h"
#include "sensor/base/status.h"
#include "sensor/daemon/options.h"
#include "sensor/rpc/access/board.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/sink/metrics_server.h"
#include "sensor/sink/runner.h"

namespace kvmsentry {

// Whether systemd started this as a service whose log goes to its journal.
bool LogGoesToJournald();

// The sinks that OPTIONS ask for. HUB outlives them.
class Sinks {
 public:
  Sinks(const DaemonOptions& options, const Hub& hub);
  std::string problem() const;  // of any; empty: all is well. Thread safe.

 private:
  std::vector<std::unique_ptr<SinkRunner>> runners_;
};

// All but OPTIONS outlives it; nullptr where none is asked for.
absl::StatusOr<std::unique_ptr<MetricsServer>> StartMetrics(const DaemonOptions& options,
                                                            const Hub& hub, const SensorView& view,
                                                            const Pulse& pulse, const Clock& clock,
                                                            const SilenceBook& silences,
                                                            const AccessBoard& access);

}  // namespace kvmsentry
