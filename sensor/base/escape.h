// Text that comes from a guest, a VMM or a process may hold terminal escapes or line breaks. It is
// escaped once, where it enters, and again harmless everywhere after.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// TEXT with every byte outside printable ASCII, and the backslash, as \xHH; valid UTF-8 sequences
// that are no control characters pass. At most MAX_BYTES of TEXT are taken; a cut ends in "...".
std::string Escape(absl::string_view text, size_t max_bytes = 256);

// For a text that should have been escaped already, before it goes to a terminal or to where only
// UTF-8 is taken: as Escape, but it leaves the backslash, so that what is escaped stays as it is.
std::string EscapeAgain(absl::string_view text);

}  // namespace kvmsentry
