// When one spec leaves another nothing to tell. Cautious: where it cannot be known from the texts
// alone, it does not.
#pragma once

#include "sensor/spec/spec.h"

namespace kvmsentry {

// Whatever deviates from SHADOWED deviates from SPEC at the same moment, for the same VM and at the
// same point, and is told no less severely.
bool Shadows(const Spec& spec, const Spec& shadowed);

}  // namespace kvmsentry
