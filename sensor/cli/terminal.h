// How wide the output may be.
#pragma once

#include <cstddef>

namespace kvmsentry {

// Of standard output: what COLUMNS says, else the terminal; 80 where it is none. At least 40.
size_t OutputWidth();

// No bound: --wide.
inline constexpr size_t kAnyWidth = static_cast<size_t>(-1);

}  // namespace kvmsentry
