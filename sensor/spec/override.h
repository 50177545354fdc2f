// What a site's overrides make of a spec.
#pragma once

#include <vector>

#include "sensor/spec/layers.h"
#include "sensor/spec/library.h"
#include "sensor/spec/read_layer.h"

namespace kvmsentry {

FilePlace ToFilePlace(TextPosition at);

// SPEC, which is sound, as OVERRIDES change it, at least one. What is wrong with it then is
// reported at the override, with the place of SPEC. ORIGIN gets what was changed. A field that two
// overrides have is reported at the later.
Spec Overridden(const WrittenSpec& spec, const std::vector<const WrittenOverride*>& overrides,
                Origin& origin, std::vector<Problem>& problems);

}  // namespace kvmsentry
