// What is kept and what is open, page by page.
#pragma once

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/alert/journal.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// INVALID_ARGUMENT as request.h. Both may be called from several threads at once.
absl::Status ListOpen(const Journal& journal, const v1::ListOpenAlertsRequest& request,
                      v1::ListOpenAlertsResponse& response);
absl::Status ListAlerts(const Journal& journal, const v1::ListAlertsRequest& request,
                        v1::ListAlertsResponse& response);

}  // namespace kvmsentry
