// Colour on a terminal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "kvmsentry/v1/alert.pb.h"
#include "kvmsentry/v1/method.pb.h"

namespace kvmsentry {

enum class ColorWhen : uint8_t { kAuto, kAlways, kNever };

enum class Paint : uint8_t { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan, kBoldRed };

class Style {
 public:
  explicit Style(bool colored) : colored_(colored) {}
  // TEXT, escaped so that it holds nothing that a terminal obeys, in its colour.
  std::string operator()(Paint paint, absl::string_view text) const;

 private:
  bool colored_;
};

// Of standard output. kAuto: only on a terminal, and not where NO_COLOR is set (no-color.org) or
// TERM is "dumb".
Style StyleFor(ColorWhen when);

Paint PaintOf(v1::Severity severity);
Paint PaintOf(v1::Coverage coverage);
Paint PaintOf(v1::Alert::State state);

}  // namespace kvmsentry
