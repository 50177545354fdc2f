// Times as people type them.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace kvmsentry {

// "2026-11-29 14:00", with seconds or without a time, in ZONE; RFC 3339; or a duration before NOW:
// "2h", "30m". nullopt for anything else.
std::optional<absl::Time> ReadTime(absl::string_view text, absl::Time now, absl::TimeZone zone);

// "90m", "2h30m", "3d", "1w"; more than nothing.
std::optional<absl::Duration> ReadDuration(absl::string_view text);

}  // namespace kvmsentry
