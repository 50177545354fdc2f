#include "sensor/cli/hints.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/glob.h"
#include "sensor/base/nearest.h"

namespace kvmsentry {
namespace {

// Specs that are in no library: the score's, and those of the sensor itself.
bool IsBuiltIn(const std::string& id) {
  return id == "score-band" || id == "too-many-parts" || absl::StartsWith(id, "self-");
}

}  // namespace

absl::StatusOr<v1::VmStatus> FindVm(const std::vector<v1::VmStatus>& vms, const std::string& name) {
  std::vector<const v1::VmStatus*> found;
  for (const v1::VmStatus& vm : vms) {
    if (vm.vm().name() == name) return vm;
    if (vm.vm().given_name() == name || vm.vm().uuid() == name) found.push_back(&vm);
  }
  if (found.size() == 1) return *found[0];
  if (found.size() > 1) {
    return absl::NotFoundError(absl::StrCat(found.size(), " VMs are called \"", name,
                                            "\"; name one as \"kvmsentry vms\" shows it: \"",
                                            found[0]->vm().name(), "\""));
  }
  if (vms.empty()) return absl::NotFoundError("the sensor knows of no VM");
  const v1::VmStatus& meant =
      NearestTo(name, vms, [](const v1::VmStatus& vm) { return vm.vm().name(); });
  return absl::NotFoundError(absl::StrCat("no VM \"", name, "\"; did you mean \"",
                                          meant.vm().name(), "\"? \"kvmsentry vms\" shows all"));
}

absl::StatusOr<v1::SpecInfo> FindSpec(const v1::ListSpecsResponse& specs, const std::string& id) {
  const auto found = std::ranges::find(specs.specs(), id, &v1::SpecInfo::id);
  if (found != specs.specs().end()) return *found;
  if (specs.specs().empty()) return absl::NotFoundError("the loaded library has no specs");
  const v1::SpecInfo& meant =
      NearestTo(id, specs.specs(), [](const v1::SpecInfo& spec) { return spec.id(); });
  return absl::NotFoundError(absl::StrCat("no spec \"", id, "\" in the loaded library; did you ",
                                          "mean \"", meant.id(),
                                          "\"? \"kvmsentry spec list\" shows all"));
}

std::vector<std::string> HintsOn(const v1::AlertFilter& filter, Client& client) {
  std::vector<std::string> hints;
  const auto add = [&hints](const absl::Status& status) {
    if (!status.ok()) hints.emplace_back(status.message());
  };
  if (std::ranges::any_of(filter.vm(), std::not_fn(IsPattern))) {
    const auto response = client.ListVms({});
    if (!response.ok()) return hints;
    const std::vector<v1::VmStatus> vms(response->vms().begin(), response->vms().end());
    for (const std::string& vm : filter.vm()) {
      if (!IsPattern(vm)) add(FindVm(vms, vm).status());
    }
  }
  if (std::ranges::any_of(filter.spec(), std::not_fn(IsPattern))) {
    const auto specs = client.ListSpecs(v1::ListSpecsRequest());
    if (!specs.ok()) return hints;
    for (const std::string& spec : filter.spec()) {
      if (!IsPattern(spec) && !IsBuiltIn(spec)) add(FindSpec(*specs, spec).status());
    }
  }
  return hints;
}

}  // namespace kvmsentry
