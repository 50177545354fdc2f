#include <unistd.h>

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const SpecListCommand& command) {
  const auto client = Client::Connect(common.socket);
  if (!client.ok()) return Fail(client.status());
  const auto response = (*client)->ListSpecs(v1::ListSpecsRequest());
  if (!response.ok()) return Fail(response.status());
  Output output(STDOUT_FILENO);
  if (command.json) {
    for (const v1::SpecInfo& spec : response->specs()) output.Write(JsonLine(spec));
  } else {
    output.Write(FormatSpecs(*response, StyleFor(common.color)));
  }
  return output.Finish();
}

}  // namespace kvmsentry
