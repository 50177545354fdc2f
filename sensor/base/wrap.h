// Texts that must fit columns: measured, cut, or broken into lines. Every text is escaped first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// How many columns of a terminal TEXT takes once it is escaped: its characters, for want of a table
// of those that take two.
size_t WidthOf(absl::string_view text);

// At most WIDTH columns of TEXT; one that is longer ends in "...".
std::string CutTo(absl::string_view text, size_t width);

// TEXT in lines of at most WIDTH columns, broken at blanks where there are any; what does not fit
// into MAX_LINES is cut. At least one line.
std::vector<std::string> WrapTo(absl::string_view text, size_t width, size_t max_lines);

}  // namespace kvmsentry
