// The tables of specs/README.md: the catalogue of features, the library's specs, and the fields
// that name members in norms.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/spec/library.h"

namespace kvmsentry {

// By name, the scenarios that show a spec at work: in some it must be reported, in some not.
struct SpecProof {
  std::vector<std::string> reported_in;
  std::vector<std::string> silent_in;
};

// README with what stands between "<!-- features -->", "<!-- specs -->" or "<!-- members -->" and
// "<!-- end -->" written again. A marker that is missing leaves that part as it is.
std::string WithTables(absl::string_view readme, const SpecLibrary& library,
                       const std::map<std::string, SpecProof>& proofs);

}  // namespace kvmsentry
