// A spec of a library, as it is shown.
#pragma once

#include "sensor/rpc/sensor_view.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// All but how it fares on this host.
SpecView ViewOf(const SpecLibrary& library, const Spec& spec);

}  // namespace kvmsentry
