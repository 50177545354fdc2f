// The tables of specs/README.md: the catalogue of features and the library's specs.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/spec/library.h"

namespace kvmsentry {

// README with what stands between "<!-- features -->" or "<!-- specs -->" and "<!-- end -->"
// written again. A marker that is missing leaves that part as it is.
std::string WithTables(absl::string_view readme, const SpecLibrary& library);

}  // namespace kvmsentry
