#include "sensor/usage/values.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "sensor/base/nearest.h"

namespace kvmsentry {
namespace {

// CLI11 appends a validator's text to the name of the value, after a colon, which a name may hold
// itself ("HOST:PORT"); a blank it does not.
constexpr char kBefore[] = " ";
constexpr char kBetween[] = ": ";

}  // namespace

CLI::Validator OneOf(const std::vector<std::string>& names) {
  const auto check = [names](std::string& text) -> std::string {
    for (const std::string& name : names) {
      if (absl::EqualsIgnoreCase(name, text)) {
        text = name;
        return "";
      }
    }
    constexpr size_t kMostShown = 16;
    const std::string meant = Meant(text, names);
    return absl::StrCat("'", text, "' is none of ",
                        names.size() > kMostShown
                            ? absl::StrCat("the ", names.size(), " that there are")
                            : absl::StrJoin(names, ", "),
                        meant.empty() ? "" : absl::StrCat("; did you mean '", meant, "'?"));
  };
  return CLI::Validator(check, "");
}

CLI::Validator Within(double least, double most) {
  const std::string bounds = absl::StrFormat("%.0f to %.0f", least, most);
  const auto check = [=](const std::string& text) -> std::string {
    double value = 0;
    if (absl::SimpleAtod(text, &value) && value >= least && value <= most) return "";
    return absl::StrCat("'", text, "' is no number from ", bounds);
  };
  return CLI::Validator(check, kBefore + bounds);
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

ValueText ValueOf(const CLI::Option& option) {
  if (option.get_type_size() == 0) return {};  // a flag
  const std::string type = option.get_type_name();
  const size_t end = type.find(kBetween);
  const std::string preset = option.get_default_str();
  return {.name = type.substr(0, end),
          .bounds = end == std::string::npos ? "" : type.substr(end + strlen(kBetween)),
          .preset = preset == "[]" ? "" : preset};
}

}  // namespace kvmsentry
