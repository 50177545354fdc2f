#include "sensor/rpc/history.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/alert/open_alerts.h"
#include "sensor/alert/position.h"
#include "sensor/base/escape.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/request.h"

namespace kvmsentry {
namespace {

constexpr int32_t kLargestPage = 1000;
constexpr int32_t kDefaultPage = 100;
// A client takes 4 MiB at most, if it does not ask for more.
constexpr size_t kMaxPageBytes = 3 << 20;
constexpr size_t kReadAtOnce = 256;
constexpr size_t kMostLookedAt = 16 * kReadAtOnce;  // some milliseconds' work

absl::Status BadToken(const std::string& token) {
  return absl::InvalidArgumentError(
      absl::StrCat("page_token: '", Escape(token), "' is none of this method"));
}

absl::StatusOr<int32_t> PageSize(int32_t asked, int32_t by_default) {
  if (asked < 0 || asked > kLargestPage) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: ", asked, " is not within 0 and ", kLargestPage));
  }
  return asked == 0 ? by_default : asked;
}

// Whether the page takes one more.
class Room {
 public:
  explicit Room(int32_t most) : most_(most) {}
  bool Take(const v1::Alert& alert) {
    bytes_ += alert.ByteSizeLong();
    return ++count_ < most_ && bytes_ < kMaxPageBytes;
  }

 private:
  const int32_t most_;
  int32_t count_ = 0;
  size_t bytes_ = 0;
};

std::string TokenOf(const AlertId& id) { return absl::StrCat(id.first, ":", id.second); }

std::optional<AlertId> IdOfToken(const std::string& token) {
  uint64_t serial = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), serial);
  const auto colon = static_cast<size_t>(end - token.data());
  if (error != std::errc() || colon >= token.size() || token[colon] != ':') return std::nullopt;
  return AlertId(serial, token.substr(colon + 1));
}

}  // namespace

absl::Status ListOpen(const Journal& journal, const SilencedByNow& silenced_by,
                      const v1::ListOpenAlertsRequest& request,
                      v1::ListOpenAlertsResponse& response) {
  KVMSENTRY_ASSIGN_OR_RETURN(AlertFilter filter, ReadFilter(request.filter()));
  const bool hide_silenced = std::exchange(filter.hide_muted, false);
  KVMSENTRY_ASSIGN_OR_RETURN(const int32_t size, PageSize(request.page_size(), kLargestPage));
  const std::optional<AlertId> after = IdOfToken(request.page_token());
  if (!after && !request.page_token().empty()) return BadToken(request.page_token());
  Room room(size);
  for (const AlertPtr& alert : journal.Open()) {
    const AlertId id = IdOf(alert->event);
    if ((after && id <= *after) || !filter.Matches(*alert)) continue;
    const uint64_t silence = silenced_by(alert->event);
    if (hide_silenced && silence != 0) continue;
    v1::Alert& shown = *response.add_alerts();
    shown = ToProto(*alert);
    shown.set_silenced_by(silence);
    if (room.Take(shown)) continue;
    response.set_next_page_token(EscapeAgain(TokenOf(id)));
    break;
  }
  return absl::OkStatus();
}

absl::Status ListAlerts(const Journal& journal, const v1::ListAlertsRequest& request,
                        v1::ListAlertsResponse& response) {
  KVMSENTRY_ASSIGN_OR_RETURN(const AlertFilter filter, ReadFilter(request.filter()));
  KVMSENTRY_ASSIGN_OR_RETURN(const int32_t size, PageSize(request.page_size(), kDefaultPage));
  constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();
  Position before{kLast, kLast};
  if (!request.page_token().empty()) {
    const std::optional<Position> position = ParsePosition(request.page_token());
    if (!position) return BadToken(request.page_token());
    before = std::min(before, *position);
  }
  Room room(size);
  for (size_t looked_at = 0; looked_at < kMostLookedAt;) {
    KVMSENTRY_ASSIGN_OR_RETURN(const std::vector<AlertPtr> alerts,
                               journal.ReadBefore(before, kReadAtOnce));
    if (alerts.empty()) return absl::OkStatus();
    looked_at += alerts.size();
    for (const AlertPtr& alert : alerts) {
      before = alert->position;
      if (!filter.Matches(*alert)) continue;
      *response.add_alerts() = ToProto(*alert);
      if (room.Take(*response.alerts().rbegin())) continue;
      response.set_next_page_token(ToString(before));
      return absl::OkStatus();
    }
  }
  response.set_next_page_token(ToString(before));
  return absl::OkStatus();
}

}  // namespace kvmsentry
