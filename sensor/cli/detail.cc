#include "sensor/cli/detail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/table.h"
#include "sensor/cli/terminal.h"

namespace kvmsentry {

void AppendDetail(const Look& look, const DetailShape& shape, absl::string_view label,
                  absl::string_view text, Paint paint, std::string& out) {
  constexpr absl::string_view kIndent = "    ";
  const size_t before = kIndent.size() + shape.label_width + 1;
  const size_t room = look.wide() ? kAnyWidth : std::max<size_t>(look.width, 40) - before;
  Cell cell{std::string(label), Paint::kDim};
  for (const std::string& line : WrapTo(text, room, shape.max_lines)) {
    absl::StrAppend(&out, kIndent, Padded(look.style, cell, shape.label_width), " ",
                    look.style(paint, line), "\n");
    cell = {};
  }
}

}  // namespace kvmsentry
