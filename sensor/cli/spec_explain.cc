#include <unistd.h>

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/hints.h"
#include "sensor/cli/output.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const SpecExplainCommand& command) {
  const auto client = Client::Connect(common.socket);
  if (!client.ok()) return Fail(client.status());
  const auto response = (*client)->ListSpecs();
  if (!response.ok()) return Fail(response.status());
  const auto spec = FindSpec(*response, command.id);
  if (!spec.ok()) return Fail(spec.status());
  Output output(STDOUT_FILENO);
  output.Write(FormatSpec(*spec, StyleFor(common.color)));
  return output.Finish();
}

}  // namespace kvmsentry
