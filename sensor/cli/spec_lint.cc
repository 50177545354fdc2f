// kvmsentry spec lint: needs no daemon.
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/output.h"
#include "sensor/cli/spec_layers.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

absl::StatusOr<SpecLayers> Sources(const SpecLintCommand& command) {
  if (command.path.empty()) return ReadLayers(command.layers);
  SpecLayers alone;
  KVMSENTRY_ASSIGN_OR_RETURN(alone.shipped, ReadSpecs(command.path));
  return alone;
}

}  // namespace

int Run(const CommonOptions&, const SpecLintCommand& command) {
  const auto sources = Sources(command);
  if (!sources.ok()) return Fail(sources.status());
  const SpecLibrary::Result result = SpecLibrary::Parse(*sources);
  Output output(STDOUT_FILENO);
  for (const Problem& problem : result.problems) {
    output.Write(absl::StrCat(EscapeAgain(ToString(problem)), "\n"));
  }
  const std::string where = command.path.empty()
                                ? absl::StrCat(command.layers.shipped, " and ", command.layers.site)
                                : command.path;
  if (!result.problems.empty()) {
    Say(absl::StrCat(Counted(result.problems.size(), "problem"), " in ", where));
    return 1;
  }
  output.Write(absl::StrCat(Counted(result.library.specs().size(), "spec"), " in ",
                            Counted(sources->shipped.size() + sources->site.size(), "file"),
                            ": no problems\n"));
  return output.Finish();
}

}  // namespace kvmsentry
