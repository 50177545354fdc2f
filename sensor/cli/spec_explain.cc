#include <algorithm>

#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/nearest.h"
#include "sensor/cli/client.h"
#include "sensor/cli/commands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/output.h"
#include "sensor/cli/spec_layers.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/spec_view.h"

namespace kvmsentry {
namespace {

absl::StatusOr<v1::SpecInfo> Find(const v1::ListSpecsResponse& library, const std::string& id,
                                  absl::string_view which) {
  const auto found = std::ranges::find(library.specs(), id, &v1::SpecInfo::id);
  if (found != library.specs().end()) return *found;
  const auto disabled = std::ranges::find(library.disabled(), id, &v1::DisabledSpec::id);
  if (disabled != library.disabled().end()) {
    return absl::NotFoundError(absl::StrCat("spec \"", id, "\" of ", disabled->spec_place(),
                                            " is disabled by the site, at ", disabled->place()));
  }
  if (library.specs().empty()) {
    return absl::NotFoundError(absl::StrCat(which, " library has no specs"));
  }
  const v1::SpecInfo& meant =
      NearestTo(id, library.specs(), [](const v1::SpecInfo& spec) { return spec.id(); });
  return absl::NotFoundError(absl::StrCat("no spec \"", id, "\" in ", which, " library; did you ",
                                          "mean \"", meant.id(),
                                          "\"? \"kvmsentry spec list\" shows all"));
}

absl::StatusOr<v1::ListSpecsResponse> FromFolders(const SpecPaths& layers) {
  KVMSENTRY_ASSIGN_OR_RETURN(const SpecLibrary library, LoadLayers(layers));
  v1::ListSpecsResponse response;
  for (const Spec& spec : library.specs()) *response.add_specs() = ToProto(ViewOf(library, spec));
  for (const DisabledSpec& spec : library.disabled()) *response.add_disabled() = ToProto(spec);
  return response;
}

// All specs, so that the nearest id can be named; and the VMs of the one.
absl::StatusOr<v1::ListSpecsResponse> FromDaemon(const CommonOptions& common,
                                                 const SpecExplainCommand& command) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Connect(common.socket));
  v1::ListSpecsRequest request;
  if (command.vms.empty()) return client->ListSpecs(request);
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
  const auto spec = Find(*specs, command.id, command.layers ? "this" : "the loaded");
  if (!spec.ok()) return Fail(spec.status());
  Output output(STDOUT_FILENO);
  output.Write(FormatSpec(*spec, StyleFor(common.color)));
  if (!command.vms.empty() && spec->selections().empty()) {
    Say("no VM matches; \"kvmsentry vms\" shows all");
    return 1;
  }
  return output.Finish();
}

}  // namespace kvmsentry
