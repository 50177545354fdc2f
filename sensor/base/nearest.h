// The name that somebody who wrote another one probably meant.
#pragma once

#include <algorithm>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace kvmsentry {

// How many characters must be added, removed or replaced to make B of A (Levenshtein). Bytes.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The first of those in RANGE, which must not be empty, whose NAME is nearest to WRITTEN; of a long
// text only the beginning is compared.
template <typename Range, typename Name>
const auto& NearestTo(absl::string_view written, const Range& range, Name name) {
  return *std::ranges::min_element(range, {}, [&](const auto& candidate) {
    return EditDistance(written.substr(0, 64), name(candidate));
  });
}

}  // namespace kvmsentry
