// Tags and techniques: what a spec is sorted by.
#include <algorithm>
#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "sensor/spec/check.h"

namespace kvmsentry {
namespace {

constexpr int kMaxLabels = 16;
constexpr size_t kMaxTagLength = 32;

bool IsDigits(absl::string_view text, size_t count) {
  return text.size() == count && std::ranges::all_of(text, [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

// "T1611", "T1499.004"
bool IsTechnique(absl::string_view text) {
  if (text.size() < 5 || text[0] != 'T' || !IsDigits(text.substr(1, 4), 4)) return false;
  return text.size() == 5 || (text[5] == '.' && IsDigits(text.substr(6), 3));
}

// LABELS of FIELD. WRONG says what is wrong with a label that is not WELL_FORMED.
template <typename Strings>
std::vector<std::string> Labels(absl::string_view field, const Strings& labels,
                                const std::function<bool(absl::string_view)>& well_formed,
                                absl::string_view wrong, const Places& places,
                                const Report& report) {
  if (labels.size() > kMaxLabels) {
    report(places.Of(field),
           absl::StrCat(field, " has ", labels.size(), " entries; at most ", kMaxLabels));
    return {};
  }
  const std::vector<TextPosition> at = places.ValuesOf(field);
  std::vector<std::string> checked;
  for (int i = 0; i < labels.size(); ++i) {
    const TextPosition here =
        static_cast<size_t>(i) < at.size() ? at[static_cast<size_t>(i)] : places.Of(field);
    if (!well_formed(labels[i])) {
      report(here, absl::StrCat(field, " ", Quoted(labels[i]), " ", wrong));
    } else if (std::ranges::find(checked, labels[i]) != checked.end()) {
      report(here, absl::StrCat(field, " ", Quoted(labels[i]), " is there twice"));
    } else {
      checked.push_back(labels[i]);
    }
  }
  return checked;
}

}  // namespace

bool AreJoinedWords(absl::string_view text, size_t most) {
  char before = '-';
  for (const char c : text) {
    const bool word = absl::ascii_islower(static_cast<unsigned char>(c)) ||
                      absl::ascii_isdigit(static_cast<unsigned char>(c));
    if (!word && (c != '-' || before == '-')) return false;
    before = c;
  }
  return before != '-' && text.size() <= most;
}

std::vector<std::string> CheckTags(const v1::Spec& spec, const Places& places,
                                   const Report& report) {
  return Labels(
      "tags", spec.tags(), [](absl::string_view tag) { return AreJoinedWords(tag, kMaxTagLength); },
      absl::StrCat("is ill-formed: write lower-case words and digits joined by '-', at most ",
                   kMaxTagLength, " characters"),
      places, report);
}

std::vector<std::string> CheckMitre(const v1::Spec& spec, const Places& places,
                                    const Report& report) {
  return Labels("mitre", spec.mitre(), IsTechnique,
                "is no technique of MITRE ATT&CK: write \"T1611\" or \"T1499.004\"", places,
                report);
}

}  // namespace kvmsentry
