#include "sensor/alert/position.h"

#include <charconv>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

std::optional<uint64_t> ParseDecimal(absl::string_view text) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::string ToString(Position position) {
  return absl::StrCat(position.epoch, ":", position.sequence);
}

std::optional<Position> ParsePosition(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> epoch = ParseDecimal(text.substr(0, colon));
  const std::optional<uint64_t> sequence = ParseDecimal(text.substr(colon + 1));
  if (!epoch || *epoch == 0 || !sequence) return std::nullopt;
  return Position{*epoch, *sequence};
}

}  // namespace kvmsentry
