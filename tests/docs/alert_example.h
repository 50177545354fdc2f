// The alert that docs/clients.md shows: what the engine makes of the shipped library, as JSON.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// A storm of port accesses by a VM, as a file of --json-lines has it, but over several lines.
absl::StatusOr<std::string> AlertExample(const SpecLibrary& library);

// DOCUMENT with the example between "<!-- alert -->" and "<!-- end -->" written again.
absl::StatusOr<std::string> WithAlertExample(absl::string_view document,
                                             const SpecLibrary& library);

}  // namespace kvmsentry
