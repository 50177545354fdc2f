// What is kept and what is open, page by page.
#pragma once

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/alert/journal.h"
#include "sensor/base/status.h"
#include "sensor/rpc/open_summary.h"

namespace kvmsentry {

// INVALID_ARGUMENT as request.h. Both may be called from several threads at once.
// SILENCED_BY says what is silenced now, whatever was active at an alert's latest step.
absl::Status ListOpen(const Journal& journal, const SilencedByNow& silenced_by,
                      const v1::ListOpenAlertsRequest& request,
                      v1::ListOpenAlertsResponse& response);
absl::Status ListAlerts(const Journal& journal, const v1::ListAlertsRequest& request,
                        v1::ListAlertsResponse& response);

}  // namespace kvmsentry
