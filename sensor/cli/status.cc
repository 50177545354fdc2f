#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/json.h"
#include "sensor/cli/output.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const StatusCommand& command) {
  const auto client = Client::Connect(common.socket);
  if (!client.ok()) return Fail(client.status());
  const auto status = (*client)->GetStatus();
  if (!status.ok()) return Fail(status.status());
  Output output(STDOUT_FILENO);
  output.Write(command.json ? JsonLine(*status)
                            : FormatStatus(*status, StyleFor(common.color), absl::Now(),
                                           absl::LocalTimeZone()));
  return output.Finish();
}

}  // namespace kvmsentry
