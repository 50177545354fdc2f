#include "sensor/inventory/unique_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool LooksNumbered(const std::string& chosen) {
  const size_t mark = chosen.rfind('#');
  return mark != std::string::npos && mark + 1 < chosen.size() &&
         std::all_of(chosen.begin() + static_cast<std::ptrdiff_t>(mark) + 1, chosen.end(), IsDigit);
}

std::string Numbered(const std::string& chosen, uint32_t number) {
  if (number == 1 && !LooksNumbered(chosen)) return chosen;
  return absl::StrCat(chosen, "#", number);
}

}  // namespace

std::string UniqueNames::Take(const std::string& chosen) {
  std::set<uint32_t>& taken = numbers_[chosen];
  uint32_t number = 1;
  for (const uint32_t other : taken) {
    if (other != number) break;
    ++number;
  }
  taken.insert(number);
  return Numbered(chosen, number);
}

void UniqueNames::Release(const std::string& chosen, const std::string& name) {
  const auto it = numbers_.find(chosen);
  if (it == numbers_.end()) return;
  std::erase_if(it->second, [&](uint32_t number) { return Numbered(chosen, number) == name; });
  if (it->second.empty()) numbers_.erase(it);
}

}  // namespace kvmsentry
