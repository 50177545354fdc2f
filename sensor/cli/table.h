// Aligned columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/cli/style.h"

namespace kvmsentry {

struct Column {
  std::string title;
  bool right = false;    // aligned to the right, as numbers are
  bool shrinks = false;  // its texts may be cut where the table is too wide
};

struct Cell {
  std::string text;
  Paint paint = Paint::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Texts are escaped.
  void Add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

  // A line of titles and one for each row, each as wide as it must be and without blanks at its
  // end.
  std::string Render(const Style& style) const;
  // The same in at most WIDTH columns: a text of the last column that is too long is broken into
  // lines; it has 16 columns at least, whatever the width.
  std::string RenderWrapped(const Style& style, size_t width) const;
  // The same: the widest of the columns that shrink do so, to no less than 8.
  std::string RenderFit(const Style& style, size_t width) const;

 private:
  std::vector<size_t> Widths() const;
  size_t RoomForLast(size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// TEXT, escaped and painted, and blanks up to WIDTH.
std::string Padded(const Style& style, const Cell& cell, size_t width, bool right = false);

}  // namespace kvmsentry
