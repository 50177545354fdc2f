#include "sensor/daemon/outlets.h"

#include <cstdlib>
#include <utility>

#include <openssl/evp.h>

#include "absl/strings/escaping.h"

#include "sensor/sink/journald.h"
#include "sensor/sink/json_lines.h"
#include "sensor/sink/metrics_page.h"

namespace kvmsentry {

Sinks::Sinks(const DaemonOptions& options, const Hub& hub) {
  const auto run = [&](std::unique_ptr<Sink> sink) {
    const std::string file = options.state_dir.empty() || sink->KnowsLastWritten()
                                 ? ""
                                 : absl::StrCat(options.state_dir, "/", sink->name());
    runners_.push_back(std::make_unique<SinkRunner>(hub, std::move(sink), file));
  };
  // systemd sets it for a service whose log goes to its journal.
  const bool by_systemd = std::getenv("JOURNAL_STREAM") != nullptr;
  if (options.journald == "on" || (options.journald == "auto" && by_systemd)) {
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
                                                            const AccessBoard& access,
                                                            std::string library_sha256) {
  if (options.metrics_listen.empty()) return nullptr;
  KVMSENTRY_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(options.metrics_listen));
  return MetricsServer::Start(
      endpoint, [&hub, &view, &pulse, &clock, &access, sha256 = std::move(library_sha256),
                 max_vms = options.metrics_max_vms] {
        const Journal& journal = hub.journal();
        return MetricsPage({.status = view.Status(),
                            .vms = view.Vms(/*with_exits=*/false),
                            .specs = view.Specs(),
                            .open = journal.Open(),
                            .journal = journal.state(),
                            .access = access.state(),
                            .alerts = journal.visible(),
                            .pulse = pulse.Get(),
                            .now = clock.WallNow(),
                            .library_sha256 = sha256,
                            .max_vms = max_vms});
      });
}

std::string Sha256Of(const std::vector<SpecSource>& sources) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const SpecSource& source : sources) {
    // With its end, so that no text can pass for the next file's name.
    for (const std::string& part : {source.file.substr(source.file.rfind('/') + 1), source.text}) {
      const std::string length = absl::StrCat(part.size(), ":");
      EVP_DigestUpdate(context.get(), length.data(), length.size());
      EVP_DigestUpdate(context.get(), part.data(), part.size());
    }
  }
  EVP_DigestFinal_ex(context.get(), digest, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

}  // namespace kvmsentry
