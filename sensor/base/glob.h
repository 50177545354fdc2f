// Patterns as users write them on names: '*' is any run of characters, '?' is one character (of
// UTF-8, not one byte), "[ab1-3]" one of those characters, "[!ab]" or "[^ab]" one that is none of
// them; everything else is itself. A ']' that comes first in brackets is one of the characters. The
// pattern matches the whole text.
#pragma once

#include "absl/strings/string_view.h"

namespace kvmsentry {

// At most |PATTERN| x |TEXT| steps and no recursion, whatever the pattern: it may come from a
// client. A '[' that nothing closes is itself.
bool GlobMatch(absl::string_view pattern, absl::string_view text);

// Whether TEXT, as a pattern, may match another text than itself.
bool IsPattern(absl::string_view text);

// A '[' that nothing closes, or a range like "[3-1]" that holds nothing: the author's mistake.
// Empty where there is none, else what is wrong.
absl::string_view GlobProblem(absl::string_view pattern);

}  // namespace kvmsentry
