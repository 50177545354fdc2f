// When one spec leaves another nothing to tell. Cautious: where it cannot be known from the texts
// alone, it does not.
#pragma once

#include <vector>

#include "sensor/spec/spec.h"

namespace kvmsentry {

// Whatever deviates from SHADOWED deviates from SPEC at the same moment, for the same VM and at the
// same point, and is told no less severely.
bool Shadows(const Spec& spec, const Spec& shadowed);

// An exception takes away all that the spec selects.
bool LeavesNothing(const Spec& spec);

// Whether all of INNER lies in OUTER. Both are sorted and do not overlap; neighbours may touch.
bool Covers(const std::vector<Interval>& outer, const std::vector<Interval>& inner);

}  // namespace kvmsentry
