// Patterns as users write them on names: '*' is any run of characters, '?' is one character (of
// UTF-8, not one byte), everything else is itself. The pattern matches the whole text.
#pragma once

#include "absl/strings/string_view.h"

namespace kvmsentry {

// At most |PATTERN| x |TEXT| steps and no recursion, whatever the pattern: it may come from a
// client.
bool GlobMatch(absl::string_view pattern, absl::string_view text);

}  // namespace kvmsentry
