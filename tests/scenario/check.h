// Whether a scenario has a meaning.
#pragma once

#include <string>
#include <vector>

#include "scenario.pb.h"

namespace kvmsentry::scenario {

struct Problem {
  int step = -1;  // its index; -1: of the scenario as a whole
  std::string what;
};

// A scenario with a slip of the pen must not pass for it: an alert of a VM that there is not, for
// one, would never come. Pure.
std::vector<Problem> Check(const Scenario& scenario);

}  // namespace kvmsentry::scenario
