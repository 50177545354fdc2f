#include "sensor/cli/open_alerts.h"

#include <algorithm>
#include <utility>

#include "sensor/cli/words.h"

namespace kvmsentry {

absl::StatusOr<std::vector<v1::Alert>> ListAllOpen(Client& client, const v1::AlertFilter& filter) {
  std::vector<v1::Alert> alerts;
  v1::ListOpenAlertsRequest request;
  *request.mutable_filter() = filter;
  do {
    KVMSENTRY_ASSIGN_OR_RETURN(const auto page, client.ListOpen(request));
    alerts.insert(alerts.end(), page.alerts().begin(), page.alerts().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::ranges::stable_sort(alerts, {}, [](const v1::Alert& alert) {
    return std::pair(alert.silenced_by() != 0, ToTime(alert.opened_at()));
  });
  return alerts;
}

}  // namespace kvmsentry
