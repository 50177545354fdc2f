// Which scenarios prove which spec of the library that ships.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "sensor/spec/readme.h"
#include "tests/scenario/parse.h"

namespace kvmsentry::scenario {

// For each of SPECS, ids of the library that ships, the scenarios with that very library in which
// an alert of it must come, and those in which one must not come for what looks alike. Pure.
std::map<std::string, SpecProof> ProofsOf(std::span<const Named> scenarios,
                                          std::span<const std::string> specs);

}  // namespace kvmsentry::scenario
