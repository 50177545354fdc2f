#include <unistd.h>

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/health.h"
#include "sensor/cli/output.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const HealthCommand& /*command*/) {
  const auto client = Client::Connect(common.target);
  const auto serving = client.ok() ? (*client)->IsServing() : client.status();
  if (!serving.ok()) {
    Fail(serving.status());
    return kNoAnswer;
  }
  Output output(STDOUT_FILENO);
  output.Write(*serving ? "SERVING\n" : "NOT_SERVING\n");
  if (output.Finish() != 0) return kNoAnswer;
  return static_cast<int>(*serving ? Health::kOk : Health::kCritical);
}

}  // namespace kvmsentry
