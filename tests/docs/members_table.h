// The table of specs/README.md of the fields that name members in norms, written from the
// catalogue.
#pragma once

#include <string>

namespace kvmsentry {

// README with what stands between "<!-- members -->" and "<!-- end -->" written again; as it is
// where a marker is missing.
std::string WithMembersTable(std::string readme);

}  // namespace kvmsentry
