#include "sensor/cli/spec_layers.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kvmsentry {

absl::StatusOr<SpecLayers> ReadLayers(const SpecPaths& paths) {
  SpecLayers layers;
  std::error_code ignored;
  const bool is_file = std::filesystem::is_regular_file(paths.shipped, ignored);
  KVMSENTRY_ASSIGN_OR_RETURN(layers.shipped,
                             is_file ? ReadSpecs(paths.shipped) : ReadShippedFolder(paths.shipped));
  if (std::filesystem::is_regular_file(paths.site, ignored)) {
    KVMSENTRY_ASSIGN_OR_RETURN(layers.site, ReadSpecs(paths.site));
  } else if (paths.site_is_named && !std::filesystem::exists(paths.site, ignored)) {
    return absl::NotFoundError(absl::StrCat(paths.site,
                                            ": no such file or folder; name the site's "
                                            "by --site-specs"));
  } else {
    KVMSENTRY_ASSIGN_OR_RETURN(layers.site, ReadSiteFolder(paths.site));
  }
  return layers;
}

absl::StatusOr<SpecLibrary> LoadLayers(const SpecPaths& paths) {
  KVMSENTRY_ASSIGN_OR_RETURN(const SpecLayers layers, ReadLayers(paths));
  SpecLibrary::Result result = SpecLibrary::Parse(layers);
  const auto error = std::ranges::find(result.problems, false, &Problem::is_warning);
  if (error == result.problems.end()) return std::move(result.library);
  return absl::InvalidArgumentError(absl::StrCat(ToString(*error),
                                                 " (\"kvmsentry spec lint --specs ", paths.shipped,
                                                 " --site-specs ", paths.site, "\" shows all)"));
}

}  // namespace kvmsentry
