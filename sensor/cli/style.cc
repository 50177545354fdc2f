#include "sensor/cli/style.h"

#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

absl::string_view Code(Paint paint) {
  switch (paint) {
    case Paint::kPlain:
      return "";
    case Paint::kBold:
      return "1";
    case Paint::kDim:
      return "2";
    case Paint::kRed:
      return "31";
    case Paint::kGreen:
      return "32";
    case Paint::kYellow:
      return "33";
    case Paint::kCyan:
      return "36";
    case Paint::kBoldRed:
      return "1;31";
  }
  return "";
}

bool TerminalWantsColor() {
  const char* no_color = getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = getenv("TERM");
  if (term == nullptr || absl::string_view(term) == "dumb") return false;
  return isatty(STDOUT_FILENO) == 1;
}

}  // namespace

std::string Style::operator()(Paint paint, absl::string_view text) const {
  std::string safe = EscapeAgain(text);
  if (!colored_ || paint == Paint::kPlain || safe.empty()) return safe;
  return absl::StrCat("\x1b[", Code(paint), "m", safe, "\x1b[0m");
}

Style StyleFor(ColorWhen when) {
  return Style(when == ColorWhen::kAlways || (when == ColorWhen::kAuto && TerminalWantsColor()));
}

Paint PaintOf(v1::Severity severity) {
  switch (severity) {
    case v1::CRITICAL:
      return Paint::kBoldRed;
    case v1::WARNING:
      return Paint::kYellow;
    case v1::NOTICE:
      return Paint::kCyan;
    default:
      return Paint::kPlain;
  }
}

Paint PaintOf(v1::Coverage coverage) {
  switch (coverage) {
    case v1::ACTIVE:
      return Paint::kGreen;
    case v1::ATTACHED:
      return Paint::kPlain;
    case v1::DEGRADED:
      return Paint::kYellow;
    default:
      return Paint::kRed;
  }
}

Paint PaintOf(v1::Alert::State state) {
  switch (state) {
    case v1::Alert::OPEN:
      return Paint::kBold;
    case v1::Alert::CLEARED:
      return Paint::kGreen;
    default:
      return Paint::kPlain;
  }
}

}  // namespace kvmsentry
