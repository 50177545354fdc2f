#include "sensor/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr char kBetween[] = "  ";

void AppendLine(const Style& style, const std::vector<Column>& columns,
                const std::vector<size_t>& widths, const std::vector<Cell>& cells,
                std::string& out) {
  // Blanks are added only before a cell that holds something.
  size_t last = cells.size();
  while (last > 0 && cells[last - 1].text.empty()) --last;
  for (size_t i = 0; i < last; ++i) {
    const bool fill = columns[i].right || i + 1 < last;
    absl::StrAppend(&out, i == 0 ? "" : kBetween,
                    Padded(style, cells[i], fill ? widths[i] : 0, columns[i].right));
  }
  out.push_back('\n');
}

}  // namespace

size_t WidthOf(absl::string_view text) {
  const std::string safe = EscapeAgain(text);
  return static_cast<size_t>(std::count_if(safe.begin(), safe.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string Padded(const Style& style, const Cell& cell, size_t width, bool right) {
  const size_t taken = WidthOf(cell.text);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  const std::string text = style(cell.paint, cell.text);
  return right ? blanks + text : text + blanks;
}

std::string Table::Render(const Style& style) const {
  std::vector<Cell> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back({column.title, Paint::kBold});
    widths.push_back(WidthOf(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i].text));
  }
  std::string out;
  AppendLine(style, columns_, widths, titles, out);
  for (const auto& row : rows_) AppendLine(style, columns_, widths, row, out);
  return out;
}

}  // namespace kvmsentry
