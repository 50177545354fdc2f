// kvmsentry spec reload, spec apply: the daemon's library.
#include <filesystem>

#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/output.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

template <typename Response>
int Tell(const absl::StatusOr<Response>& response, absl::string_view what) {
  if (!response.ok()) return Fail(response.status());
  Output output(STDOUT_FILENO);
  for (const std::string& warning : response->warnings()) {
    output.Write(absl::StrCat(EscapeAgain(warning), "\n"));
  }
  const v1::SpecLibraryStatus& library = response->library();
  output.Write(absl::StrCat(what, ": ", Counted(library.shipped_specs(), "shipped spec"), ", ",
                            library.site_specs(), " of the site, ", library.overridden_specs(),
                            " changed, ", library.disabled_specs(), " disabled; SHA-256 ",
                            EscapeAgain(library.sha256()), "\n"));
  return output.Finish();
}

absl::StatusOr<v1::ApplySpecsRequest> RequestOf(const SpecApplyCommand& command) {
  v1::ApplySpecsRequest request;
  request.set_validate_only(command.check);
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(command.path, ignored);
  KVMSENTRY_ASSIGN_OR_RETURN(const std::vector<SpecSource> sources,
                             is_folder ? ReadSiteFolder(command.path) : ReadSpecs(command.path));
  if (sources.empty() && !command.empty) {
    return absl::InvalidArgumentError(
        absl::StrCat(command.path,
                     " holds no *.textproto file; with --empty the site's layer is "
                     "taken away"));
  }
  for (const SpecSource& source : sources) {
    v1::SiteSpecFile& file = *request.add_files();
    file.set_name(std::filesystem::path(source.file).filename());
    file.set_text(source.text);
  }
  return request;
}

}  // namespace

int Run(const CommonOptions& common, const SpecReloadCommand&) {
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  return Tell((*client)->ReloadSpecs(), "loaded");
}

int Run(const CommonOptions& common, const SpecApplyCommand& command) {
  const auto request = RequestOf(command);
  if (!request.ok()) return Fail(request.status());
  const auto client = Client::Connect(common.target);
  if (!client.ok()) return Fail(client.status());
  return Tell((*client)->ApplySpecs(*request), command.check ? "no error" : "loaded");
}

}  // namespace kvmsentry
