// The order in which people expect names: "vm2" before "vm10".
#pragma once

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Runs of decimal digits compare as numbers, however long; everything else byte by byte. Texts that
// differ only in leading zeros compare byte by byte, so no two different ones are equal.
bool NaturalLess(absl::string_view a, absl::string_view b);

}  // namespace kvmsentry
