#include "sensor/given/key_values.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "nlohmann/json.hpp"
#include "sensor/inventory/qemu_value.h"

namespace kvmsentry {

using nlohmann::json;

class JsonFlattener {
 public:
  explicit JsonFlattener(KeyValues* out) : out_(out) {}

  void Flatten(const std::string& prefix, const json& value, int depth) {
    if (depth > KeyValues::kMaxDepth || out_->items_.size() >= KeyValues::kMaxItems) return;
    if (value.is_object()) {
      for (const auto& [key, member] : value.items()) {
        Flatten(prefix.empty() ? key : absl::StrCat(prefix, ".", key), member, depth + 1);
      }
    } else if (value.is_array()) {
      for (size_t i = 0; i < value.size(); ++i) {
        Flatten(absl::StrCat(prefix, ".", i), value[i], depth + 1);
      }
    } else if (value.is_boolean()) {
      out_->Add(prefix, value.get<bool>() ? "on" : "off");
    } else if (value.is_string()) {
      out_->Add(prefix, value.get_ref<const std::string&>());
    } else if (value.is_number_unsigned()) {
      out_->Add(prefix, absl::StrCat(value.get<uint64_t>()));
    } else if (value.is_number_integer()) {
      out_->Add(prefix, absl::StrCat(value.get<int64_t>()));
    } else if (value.is_number()) {
      out_->Add(prefix, absl::StrCat(value.get<double>()));
    } else {
      out_->Add(prefix, "");  // null: known to be nothing
    }
  }

 private:
  KeyValues* out_;
};

namespace {

// Takes an item off the front of TEXT: up to a comma outside of brackets and quotes, which go.
std::string TakeListItem(absl::string_view* text) {
  std::string item;
  int open = 0;
  bool quoted = false;
  while (!text->empty()) {
    const char c = text->front();
    text->remove_prefix(1);
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && c == '[') ++open;
    if (!quoted && c == ']' && open > 0) --open;
    if (!quoted && open == 0 && c == ',') break;
    item.push_back(c);
  }
  return item;
}

}  // namespace

void KeyValues::Add(absl::string_view key, absl::string_view value) {
  if (items_.size() >= kMaxItems) return;
  items_.emplace_back(key.substr(0, kMaxValue), value.substr(0, kMaxValue));
}

KeyValues KeyValues::OfQemu(absl::string_view text, absl::string_view implied) {
  KeyValues out;
  for (bool first = true; !text.empty() && out.items_.size() < kMaxItems; first = false) {
    const size_t key_end = text.find_first_of("=,");
    const bool has_key = key_end != absl::string_view::npos && text[key_end] == '=';
    if (has_key) {
      const absl::string_view key = text.substr(0, key_end);
      text.remove_prefix(key_end + 1);
      out.Add(key, TakeQemuValue(&text));
      continue;
    }
    const std::string word = TakeQemuValue(&text);
    if (first && !implied.empty()) {
      out.Add(implied, word);
    } else if (absl::StartsWith(word, "no") && word.size() > 2) {
      out.Add(word.substr(2), "off");
    } else {
      out.Add(word, "on");
    }
  }
  return out;
}

KeyValues KeyValues::OfList(absl::string_view text, absl::string_view implied) {
  KeyValues out;
  for (bool first = true; !text.empty() && out.items_.size() < kMaxItems; first = false) {
    const std::string item = TakeListItem(&text);
    const size_t equals = item.find('=');
    if (equals != std::string::npos) {
      out.Add(absl::string_view(item).substr(0, equals),
              absl::string_view(item).substr(equals + 1));
    } else if (first && !implied.empty()) {
      out.Add(implied, item);
    } else {
      out.Add(item, "true");
    }
  }
  return out;
}

std::optional<KeyValues> KeyValues::OfJson(absl::string_view text) {
  // A document that nests deeper than any VMM's is refused while it is read.
  bool deep = false;
  const auto bound = [&deep](int depth, json::parse_event_t, json&) {
    deep |= depth > kMaxDepth;
    return !deep;
  };
  const json document = json::parse(text.begin(), text.end(), bound, /*allow_exceptions=*/false);
  if (deep || document.is_discarded() || !document.is_object()) return std::nullopt;
  KeyValues out;
  JsonFlattener(&out).Flatten("", document, 0);
  return out;
}

KeyValues KeyValues::OfEither(absl::string_view text, absl::string_view implied) {
  if (!absl::StartsWith(text, "{")) return OfQemu(text, implied);
  return OfJson(text).value_or(KeyValues());
}

const std::string& KeyValues::Get(absl::string_view key) const& {
  static const std::string kNone;
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->first == key) return item->second;
  }
  return kNone;
}

bool KeyValues::Has(absl::string_view key) const {
  return std::ranges::any_of(items_, [&](const Item& item) { return item.first == key; });
}

std::optional<bool> KeyValues::GetFlag(absl::string_view key) const { return ParseFlag(Get(key)); }

std::optional<uint64_t> KeyValues::GetNumber(absl::string_view key) const {
  return ParseNumber(Get(key));
}

std::optional<uint64_t> KeyValues::GetSize(absl::string_view key, uint64_t unit) const {
  return ParseSize(Get(key), unit);
}

std::optional<bool> ParseFlag(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text.substr(0, 8));
  for (const char* yes : {"on", "yes", "true", "y", "1"}) {
    if (lower == yes) return true;
  }
  for (const char* no : {"off", "no", "false", "n", "0"}) {
    if (lower == no) return false;
  }
  return std::nullopt;
}

std::optional<uint64_t> ParseNumber(absl::string_view text) {
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) {
    return std::nullopt;
  }
  uint64_t number = 0;
  if (absl::StartsWithIgnoreCase(text, "0x")) {
    text.remove_prefix(2);
    if (text.empty() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[0]))) return {};
    return absl::SimpleHexAtoi(text, &number) ? std::optional(number) : std::nullopt;
  }
  return absl::SimpleAtoi(text, &number) ? std::optional(number) : std::nullopt;
}

std::optional<uint64_t> ParseSize(absl::string_view text, uint64_t unit) {
  size_t digits = 0;
  const bool hex = absl::StartsWithIgnoreCase(text, "0x");
  if (!hex) {
    while (digits < text.size() &&
           (absl::ascii_isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) {
      ++digits;
    }
  } else {
    digits = text.size();
  }
  const absl::string_view number = text.substr(0, digits);
  std::string suffix = absl::AsciiStrToLower(text.substr(digits, 8));
  constexpr absl::string_view kUnits = "bkmgtpe";
  constexpr int kShift = 10;
  if (!suffix.empty()) {
    const size_t power = kUnits.find(suffix[0]);
    const std::string rest = suffix.substr(1);
    if (power == absl::string_view::npos ||
        (!rest.empty() && rest != "b" && rest != "ib" && rest != "i")) {
      return std::nullopt;
    }
    unit = uint64_t{1} << (kShift * power);
  }
  if (absl::StrContains(number, '.')) {
    double value = 0;
    if (!absl::SimpleAtod(number, &value) || !std::isfinite(value)) return std::nullopt;
    value *= static_cast<double>(unit);
    constexpr double kTooMuch = 9.2e18;
    if (value < 0 || value >= kTooMuch) return std::nullopt;
    return static_cast<uint64_t>(value);
  }
  const std::optional<uint64_t> value = ParseNumber(number);
  uint64_t product = 0;
  if (!value || __builtin_mul_overflow(*value, unit, &product)) return std::nullopt;
  return product;
}

}  // namespace kvmsentry
