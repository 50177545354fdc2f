#include <unistd.h>

#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/hints.h"
#include "sensor/cli/output.h"
#include "sensor/cli/spec_layers.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/spec_view.h"

namespace kvmsentry {
namespace {

absl::StatusOr<v1::SpecInfo> FindIn(const v1::ListSpecsResponse& library, const std::string& id) {
  const auto found = std::ranges::find(library.specs(), id, &v1::SpecInfo::id);
  if (found != library.specs().end()) return *found;
  const auto disabled = std::ranges::find(library.disabled(), id, &v1::DisabledSpec::id);
  if (disabled != library.disabled().end()) {
    return absl::NotFoundError(absl::StrCat("spec \"", id, "\" of ", disabled->spec_place(),
                                            " is disabled by the site, at ", disabled->place()));
  }
  return FindSpec(library, id);
}

absl::StatusOr<v1::ListSpecsResponse> FromFolders(const SpecPaths& layers) {
  KVMSENTRY_ASSIGN_OR_RETURN(const SpecLibrary library, LoadLayers(layers));
  v1::ListSpecsResponse response;
  for (const Spec& spec : library.specs()) {
    const SpecView view = ViewOf(library, spec);
    v1::SpecInfo& info = *response.add_specs() = ToProto(view);
    AddWholeTexts(view, &info);
  }
  for (const DisabledSpec& spec : library.disabled()) *response.add_disabled() = ToProto(spec);
  return response;
}

// The one, and its VMs; all where there is none of this id, so that the nearest can be named.
absl::StatusOr<v1::ListSpecsResponse> FromDaemon(const CommonOptions& common,
                                                 const SpecExplainCommand& command) {
  auto connected = Client::Connect(common.target);
  if (!connected.ok()) {
    return absl::Status(connected.status().code(),
                        absl::StrCat(connected.status().message(),
                                     "; --specs DIR explains the specs of a folder without it"));
  }
  const std::unique_ptr<Client> client = *std::move(connected);
  v1::ListSpecsRequest request;
  request.add_id(command.id);
  for (const std::string& vm : command.vms) request.add_vm(vm);
  KVMSENTRY_ASSIGN_OR_RETURN(v1::ListSpecsResponse response, client->ListSpecs(request));
  if (!response.specs().empty()) return response;
  return client->ListSpecs(v1::ListSpecsRequest());
}

}  // namespace

int Run(const CommonOptions& common, const SpecExplainCommand& command) {
  const auto specs = command.layers ? FromFolders(*command.layers) : FromDaemon(common, command);
  if (!specs.ok()) return Fail(specs.status());
  const auto spec = FindIn(*specs, command.id);
  if (!spec.ok()) return Fail(spec.status());
  Output output(STDOUT_FILENO);
  output.Write(FormatSpec(*spec, LookFor(common, /*wide=*/false)));
  if (!command.vms.empty() && spec->selections().empty()) {
    Say("no VM matches; \"kvmsentry vms\" shows all");
    return 1;
  }
  return output.Finish();
}

}  // namespace kvmsentry
