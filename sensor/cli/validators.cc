#include "sensor/cli/validators.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"

#include "sensor/alert/position.h"
#include "sensor/alert/silence_book.h"
#include "sensor/base/glob.h"
#include "sensor/cli/read_time.h"

namespace kvmsentry {

std::string CheckPosition(const std::string& text) {
  return ParsePosition(text) ? "" : "'" + text + "' is no position; write EPOCH:SEQUENCE";
}

std::string CheckTime(const std::string& text) {
  return ReadTime(text, absl::Now(), absl::LocalTimeZone())
             ? ""
             : "'" + text + "' is no time; write 2026-11-29 14:00, 2026-11-29T14:00:00Z or 2h";
}

std::string CheckGlob(const std::string& text) {
  if (text.empty()) return "it is empty; '*' matches all";
  const absl::string_view problem = GlobProblem(text);
  return problem.empty() ? "" : absl::StrCat("'", text, "': ", problem);
}

std::string CheckSilenceTime(const std::string& text) {
  const auto lasts = ReadDuration(text);
  if (!lasts) return "'" + text + "' is no length of time; write 90m, 2h or 3d";
  return *lasts <= kLongestSilence
             ? ""
             : absl::StrCat("'", text, "' is more than ", kLongestSilence / absl::Hours(24),
                            " days, the most");
}

std::string CheckNotEmpty(const std::string& text) { return text.empty() ? "it is empty" : ""; }

}  // namespace kvmsentry
