#include "sensor/cli/table.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/base/wrap.h"

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

std::string Padded(const Style& style, const Cell& cell, size_t width, bool right) {
  const size_t taken = WidthOf(cell.text);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  const std::string text = style(cell.paint, cell.text);
  return right ? blanks + text : text + blanks;
}

std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(WidthOf(column.title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i].text));
  }
  return widths;
}

std::string Table::Render(const Style& style) const {
  const std::vector<size_t> widths = Widths();
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Paint::kBold});
  std::string out;
  AppendLine(style, columns_, widths, titles, out);
  for (const auto& row : rows_) AppendLine(style, columns_, widths, row, out);
  return out;
}

size_t Table::RoomForLast(size_t width) const {
  constexpr size_t kLeast = 16;
  size_t taken = 0;
  const std::vector<size_t> widths = Widths();
  for (size_t i = 0; i + 1 < widths.size(); ++i) taken += widths[i] + strlen(kBetween);
  return std::max(width - std::min(width, taken), kLeast);
}

std::string Table::RenderWrapped(const Style& style, size_t width) const {
  constexpr size_t kMostLines = 8;
  const size_t room = RoomForLast(width);
  Table wrapped(columns_);
  for (const auto& row : rows_) {
    std::vector<Cell> cells = row;
    for (const std::string& line : WrapTo(row.back().text, room, kMostLines)) {
      cells.back().text = line;
      wrapped.Add(cells);
      for (Cell& cell : cells) cell.text.clear();
    }
  }
  return wrapped.Render(style);
}

std::string Table::RenderFit(const Style& style, size_t width) const {
  constexpr size_t kLeast = 8;
  std::vector<size_t> widths = Widths();
  size_t whole = strlen(kBetween) * (widths.size() - 1);
  for (const size_t one : widths) whole += one;
  for (; whole > width; --whole) {
    size_t* widest = nullptr;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (!columns_[i].shrinks || widths[i] <= kLeast) continue;
      if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
  }
  Table fit(columns_);
  for (const auto& row : rows_) {
    std::vector<Cell> cells = row;
    for (size_t i = 0; i < cells.size(); ++i) cells[i].text = CutTo(cells[i].text, widths[i]);
    fit.Add(std::move(cells));
  }
  return fit.Render(style);
}

}  // namespace kvmsentry
