#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/health.h"
#include "sensor/cli/output.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {
namespace {

int Unreachable(const absl::Status& status) {
  Fail(status);
  return kNoAnswer;
}

}  // namespace

int Run(const CommonOptions& common, const StatusCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Unreachable(client.status());
  const auto status = (*client)->GetStatus();
  if (!status.ok()) return Unreachable(status.status());
  const absl::Time now = absl::Now();
  Output output(STDOUT_FILENO);
  output.Write(command.json ? JsonLine(*status)
                            : FormatStatus(*status, command.parts, StyleFor(common.color), now,
                                           absl::LocalTimeZone()));
  if (output.Finish() != 0) return kNoAnswer;
  return static_cast<int>(HealthOf(FindingsOf(*status, now)));
}

}  // namespace kvmsentry
