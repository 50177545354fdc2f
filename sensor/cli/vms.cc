#include <unistd.h>

#include "absl/time/time.h"

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"
#include "sensor/rpc/json.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const VmsCommand& command) {
  const auto client = Client::Connect(common.socket);
  if (!client.ok()) return Fail(client.status());
  const auto response = (*client)->ListVms(command.request);
  if (!response.ok()) return Fail(response.status());
  Output output(STDOUT_FILENO);
  if (command.json) {
    for (const v1::VmStatus& vm : response->vms()) output.Write(JsonLine(vm));
  } else if (command.given) {
    output.Write(FormatGiven(*response, StyleFor(common.color), absl::LocalTimeZone()));
  } else {
    const Style style = StyleFor(common.color);
    output.Write(FormatVms(*response, command.counts, style, absl::LocalTimeZone()));
    if (command.exits) output.Write(FormatExits(*response, style));
    if (command.devices) output.Write(FormatDevices(*response, style));
  }
  return output.Finish();
}

}  // namespace kvmsentry
