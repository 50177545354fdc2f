// kvmsentry spec diff: needs no daemon.
#include <unistd.h>

#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"
#include "sensor/cli/spec_layers.h"

namespace kvmsentry {

int Run(const CommonOptions& common, const SpecDiffCommand& command) {
  const auto library = LoadLayers(command.layers);
  if (!library.ok()) return Fail(library.status());
  Output output(STDOUT_FILENO);
  output.Write(FormatDiff(*library, StyleFor(common.color)));
  return output.Finish();
}

}  // namespace kvmsentry
