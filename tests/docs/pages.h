// The documents that are written from the code, the specs and the scenarios.
#pragma once

#include <map>
#include <string>

#include "sensor/base/status.h"

namespace kvmsentry {

// What each file says, by its path below ROOT, the project's folder. Reads the specs, the
// scenarios, the README whose tables it replaces, and the times that were measured.
absl::StatusOr<std::map<std::string, std::string>> Pages(const std::string& root);

// Of a file; empty where there is none.
std::string ContentOf(const std::string& path);

}  // namespace kvmsentry
