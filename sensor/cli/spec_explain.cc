#include <algorithm>

#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/nearest.h"
#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"

namespace kvmsentry {
namespace {

absl::StatusOr<v1::SpecInfo> Find(const v1::ListSpecsResponse& library, const std::string& id) {
  const auto found = std::ranges::find(library.specs(), id, &v1::SpecInfo::id);
  if (found != library.specs().end()) return *found;
  if (library.specs().empty()) return absl::NotFoundError("the loaded library has no specs");
  const v1::SpecInfo& meant =
      NearestTo(id, library.specs(), [](const v1::SpecInfo& spec) { return spec.id(); });
  return absl::NotFoundError(absl::StrCat("no spec \"", id, "\" in the loaded library; did you ",
                                          "mean \"", meant.id(),
                                          "\"? \"kvmsentry spec list\" shows all"));
}

}  // namespace

int Run(const CommonOptions& common, const SpecExplainCommand& command) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  const auto response = (*client)->ListSpecs();
  if (!response.ok()) return Fail(response.status());
  const auto spec = Find(*response, command.id);
  if (!spec.ok()) return Fail(spec.status());
  Output output(STDOUT_FILENO);
  output.Write(FormatSpec(*spec, StyleFor(common.color)));
  return output.Finish();
}

}  // namespace kvmsentry
