#include "sensor/cli/validators.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "sensor/alert/position.h"
#include "sensor/base/nearest.h"
#include "sensor/cli/read_time.h"

namespace kvmsentry {

std::vector<std::string> NamesOf(const google::protobuf::EnumDescriptor& descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.value_count(); ++i) {
    if (descriptor.value(i)->number() != 0) names.push_back(descriptor.value(i)->name());
  }
  return names;
}

CLI::Validator OneOf(const std::vector<std::string>& names) {
  const auto check = [names](std::string& text) -> std::string {
    for (const std::string& name : names) {
      if (absl::EqualsIgnoreCase(name, text)) {
        text = name;
        return "";
      }
    }
    const std::string meant = Meant(text, names);
    return absl::StrCat("'", text, "' is none of ", absl::StrJoin(names, ", "),
                        meant.empty() ? "" : absl::StrCat("; did you mean '", meant, "'?"));
  };
  return CLI::Validator(check, "");
}

std::string CheckPosition(const std::string& text) {
  return ParsePosition(text) ? "" : "'" + text + "' is no position; write EPOCH:SEQUENCE";
}

std::string CheckTime(const std::string& text) {
  return ReadTime(text, absl::Now(), absl::LocalTimeZone())
             ? ""
             : "'" + text + "' is no time; write 2026-11-29 14:00, 2026-11-29T14:00:00Z or 2h";
}

std::string CheckDuration(const std::string& text) {
  return ReadDuration(text) ? "" : "'" + text + "' is no length of time; write 90m, 2h or 3d";
}

std::string Meant(const std::string& written, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  const std::string lower = absl::AsciiStrToLower(written);
  const std::string& nearest =
      NearestTo(lower, names, [](const std::string& name) { return absl::AsciiStrToLower(name); });
  // More wrong than right is nothing like it.
  const size_t wrong = EditDistance(lower.substr(0, 64), absl::AsciiStrToLower(nearest));
  return wrong <= std::max<size_t>(nearest.size() / 2, 1) ? nearest : "";
}

}  // namespace kvmsentry
