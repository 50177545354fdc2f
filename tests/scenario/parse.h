// Scenarios from their files.
#pragma once

#include <string>
#include <vector>

#include "scenario.pb.h"
#include "sensor/base/status.h"

namespace kvmsentry::scenario {

// The scenario in TEXT, syntactically right and with a meaning: its VMs are started before they are
// used, its expectations can fail. The error has a line "FILE:LINE:COLUMN: what" for each problem.
absl::StatusOr<Scenario> Parse(absl::string_view file, const std::string& text);

struct Named {
  std::string name;  // the file's, without .textproto
  absl::StatusOr<Scenario> scenario;
};

// Every *.textproto file of FOLDER, by name. A folder without one is an error.
absl::StatusOr<std::vector<Named>> ReadFolder(const std::string& folder);

}  // namespace kvmsentry::scenario
