// Texts that must fit: cut, or broken into lines. Every text is escaped first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// At most WIDTH columns of TEXT; one that is longer ends in "...".
std::string CutTo(absl::string_view text, size_t width);

// TEXT in lines of at most WIDTH columns, broken at blanks where there are any; what does not fit
// into MAX_LINES is cut. At least one line.
std::vector<std::string> WrapTo(absl::string_view text, size_t width, size_t max_lines);

}  // namespace kvmsentry
