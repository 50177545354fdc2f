// kvmsentry spec lint: needs no daemon.
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/output.h"
#include "sensor/cli/words.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

int Run(const CommonOptions&, const SpecLintCommand& command) {
  const auto sources = ReadSpecFolder(command.dir);
  if (!sources.ok()) return Fail(sources.status());
  const SpecLibrary::Result result = SpecLibrary::Parse(*sources);
  Output output(STDOUT_FILENO);
  for (const Problem& problem : result.problems) {
    output.Write(absl::StrCat(EscapeAgain(ToString(problem)), "\n"));
  }
  if (!result.problems.empty()) {
    Say(absl::StrCat(Counted(result.problems.size(), "problem"), " in ", command.dir));
    return 1;
  }
  output.Write(absl::StrCat(Counted(result.library.specs().size(), "spec"), " in ",
                            Counted(sources->size(), "file"), ": no problems\n"));
  return output.Finish();
}

}  // namespace kvmsentry
