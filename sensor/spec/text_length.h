// How much of a spec is put in words.
#pragma once

#include <cstddef>
#include <limits>

namespace kvmsentry {

enum class TextLength {
  kBounded,  // of what is long the first, and how many more there are: for alerts and lists
  kWhole,
};

// How many of a text's items are shown where BOUND are in a bounded one.
constexpr size_t MaxShown(TextLength length, size_t bound) {
  return length == TextLength::kWhole ? std::numeric_limits<size_t>::max() : bound;
}

}  // namespace kvmsentry
