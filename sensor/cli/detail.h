// Lines of a page that has a label before each text.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/cli/format.h"

namespace kvmsentry {

// How a page's details stand.
struct DetailShape {
  size_t label_width = 0;
  size_t max_lines = 0;  // of one text; what does not fit is cut
};

// TEXT, indented, in lines that fit LOOK, with LABEL before the first.
void AppendDetail(const Look& look, const DetailShape& shape, absl::string_view label,
                  absl::string_view text, Paint paint, std::string& out);

}  // namespace kvmsentry
