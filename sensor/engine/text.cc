#include "sensor/engine/text.h"

#include <algorithm>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sensor/base/thousands.h"
#include "sensor/base/time.h"

namespace kvmsentry {
namespace {

// NUMBER / 10^DIGITS, without the zeros that a fraction ends in.
std::string Decimal(uint64_t number, int digits) {
  uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  std::string fraction = absl::StrFormat("%0*d", digits, number % scale);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  std::string text = WithThousands(number / scale);
  if (!fraction.empty()) absl::StrAppend(&text, ".", fraction);
  return text;
}

struct TimeUnits {
  absl::string_view ms, s, min, h, between;
};

std::string Duration(int64_t ns, const TimeUnits& units) {
  const auto ms = static_cast<uint64_t>(std::max<int64_t>(ns, 0) / kNsPerMs);
  if (ms < 1000) return absl::StrCat(ms, units.ms);
  if (ms < 60'000) return absl::StrCat(Decimal(ms / 100, 1), units.s);
  const uint64_t seconds = ms / 1000;
  const auto two = [&](uint64_t large, absl::string_view unit, uint64_t small,
                       absl::string_view part) {
    return small == 0 ? absl::StrCat(large, unit)
                      : absl::StrCat(large, unit, units.between, small, part);
  };
  if (seconds < 3600) return two(seconds / 60, units.min, seconds % 60, units.s);
  return two(seconds / 3600, units.h, seconds % 3600 / 60, units.min);
}

}  // namespace

std::string DurationText(int64_t ns) { return Duration(ns, {"ms", "s", "m", "h", ""}); }

std::string SpacedDuration(int64_t ns) { return Duration(ns, {" ms", " s", " min", " h", " "}); }

std::string LevelText(const Feature& feature, uint64_t value) {
  int digits = 0;
  for (uint64_t scale = feature.scale; scale >= 10; scale /= 10) ++digits;
  const std::string number = Decimal(value, digits);
  return absl::StrCat(number, feature.unit == "%" ? "" : " ", feature.unit);
}

std::string PerSecond(uint64_t occurrences, int64_t window_ns) {
  const auto window = static_cast<uint64_t>(std::max<int64_t>(window_ns, 1));
  const absl::uint128 hundredths =
      absl::uint128(occurrences) * static_cast<uint64_t>(kNsPerSecond) * 100 / window;
  const uint64_t bounded =
      absl::Uint128High64(hundredths) != 0 ? UINT64_MAX : absl::Uint128Low64(hundredths);
  // A hundredth says nothing beside hundreds.
  return bounded >= 100'00 ? WithThousands(bounded / 100) : Decimal(bounded, 2);
}

std::string PointsText(int64_t millipoints) {
  return Decimal(static_cast<uint64_t>(std::max<int64_t>(millipoints, 0)), 3);
}

}  // namespace kvmsentry
