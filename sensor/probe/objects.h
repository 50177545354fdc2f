// The BPF objects that are built into this program.
#pragma once

#include <span>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// The ELF bytes of the object NAME ("device"), empty for an unknown name. They live for ever.
std::span<const char> ObjectBytes(absl::string_view name);

}  // namespace kvmsentry
