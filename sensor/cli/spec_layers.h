// The layers of the library as commands read them from their folders.
#pragma once

#include "sensor/base/status.h"
#include "sensor/cli/commands.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// Fails where a folder cannot be read. The site's path may be a file; that of the
// default need not be there.
absl::StatusOr<SpecLayers> ReadLayers(const SpecPaths& paths);

// The library that PATHS hold. INVALID_ARGUMENT where there is an error, with the first.
absl::StatusOr<SpecLibrary> LoadLayers(const SpecPaths& paths);

}  // namespace kvmsentry
