#include "sensor/daemon/outlets.h"

#include <cstdlib>
#include <utility>

#include "sensor/sink/journald.h"
#include "sensor/sink/json_lines.h"
#include "sensor/sink/metrics_page.h"

namespace kvmsentry {

bool LogGoesToJournald() { return std::getenv("JOURNAL_STREAM") != nullptr; }

Sinks::Sinks(const DaemonOptions& options, const Hub& hub) {
  const auto run = [&](std::unique_ptr<Sink> sink) {
    const std::string file = options.state_dir.empty() || sink->KnowsLastWritten()
                                 ? ""
                                 : absl::StrCat(options.state_dir, "/", sink->name());
    runners_.push_back(std::make_unique<SinkRunner>(hub, std::move(sink), file));
  };
  if (options.journald == "on" || (options.journald == "auto" && LogGoesToJournald())) {
    run(std::make_unique<JournaldSink>());
  }
  if (options.json_lines == "-") {
    run(std::make_unique<JsonStdoutSink>());
  } else if (!options.json_lines.empty()) {
    run(std::make_unique<JsonFileSink>(options.json_lines));
  }
}

std::string Sinks::problem() const {
  for (const auto& runner : runners_) {
    std::string problem = runner->problem();
    if (!problem.empty()) return problem;
  }
  return "";
}

absl::StatusOr<std::unique_ptr<MetricsServer>> StartMetrics(const DaemonOptions& options,
                                                            const Hub& hub, const SensorView& view,
                                                            const Pulse& pulse, const Clock& clock,
                                                            const SilenceBook& silences,
                                                            const AccessBoard& access) {
  if (options.metrics_listen.empty()) return nullptr;
  KVMSENTRY_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(options.metrics_listen));
  return MetricsServer::Start(
      endpoint, [&hub, &view, &pulse, &clock, &silences, &access, started = ReadOwnStart(),
                 max_vms = options.metrics_max_vms] {
        const Journal& journal = hub.journal();
        return MetricsPage({.status = view.Status(),
                            .vms = view.Vms(/*with_exits=*/false),
                            .specs = view.Specs(),
                            .open = journal.Open(),
                            .silences = silences.Active(),
                            .journal = journal.state(),
                            .access = access.state(),
                            .pressure = ReadHostPressure(),
                            .usage = ReadOwnUsage(),
                            .process_start = started,
                            .alerts = journal.visible(),
                            .pulse = pulse.Get(),
                            .now = clock.WallNow(),
                            .max_vms = max_vms});
      });
}

}  // namespace kvmsentry
