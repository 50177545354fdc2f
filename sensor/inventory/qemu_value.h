// Values on QEMU's command line.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Takes a value off the front of TEXT: up to a single comma, doubled ones standing for one (QEMU's
// util/qemu-option.c, get_opt_value).
std::string TakeQemuValue(absl::string_view* text);

}  // namespace kvmsentry
