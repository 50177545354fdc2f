#include <string>

#include "absl/strings/str_cat.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"

namespace kvmsentry {
namespace {

constexpr size_t kKindWidth = 9;
constexpr size_t kFieldWidth = 9;

void AppendHead(const Style& style, absl::string_view kind, absl::string_view id, Paint paint,
                const FilePlace* at, std::string& out) {
  absl::StrAppend(&out, Padded(style, {std::string(kind), paint}, kKindWidth), " ",
                  style(Paint::kBold, id));
  if (at != nullptr) absl::StrAppend(&out, "  ", style(Paint::kDim, ToString(*at)));
  out.push_back('\n');
}

}  // namespace

std::string ChangeText(absl::string_view field, absl::string_view before, absl::string_view after) {
  // These are added, so there is nothing before.
  if (field == "except" || field == "allow") return absl::StrCat("+ ", after);
  return absl::StrCat(before.empty() ? "(absent)" : before, " -> ",
                      after.empty() ? "(absent)" : after);
}

std::string FormatDiff(const SpecLibrary& library, const Style& style) {
  std::string out;
  for (const DisabledSpec& disabled : library.disabled()) {
    AppendHead(style, "disabled", disabled.id, Paint::kRed, &disabled.at, out);
  }
  for (const Spec& spec : library.specs()) {
    const Origin& origin = library.OriginOf(spec.id);
    if (origin.layer == Layer::kSite) {
      AppendHead(style, "added", spec.id, Paint::kGreen, &origin.at, out);
    } else if (!origin.changes.empty()) {
      AppendHead(style, "changed", spec.id, Paint::kYellow, nullptr, out);
    }
    for (const FieldChange& change : origin.changes) {
      absl::StrAppend(&out, "    ", Padded(style, {change.field, Paint::kDim}, kFieldWidth), " ",
                      style(Paint::kPlain, ChangeText(change.field, change.before, change.after)),
                      "  ", style(Paint::kDim, ToString(change.at)), "\n");
    }
  }
  return out.empty() ? "the site changes nothing\n" : out;
}

}  // namespace kvmsentry
