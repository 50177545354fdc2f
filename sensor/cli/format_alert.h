// Alerts as people read them. Every text is escaped.
#pragma once

#include <string>
#include <vector>

#include "kvmsentry/v1/alert.pb.h"
#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/cli/format.h"
#include "sensor/cli/open_count.h"

namespace kvmsentry {

// How wide the columns are that differ.
struct AlertColumns {
  size_t time = 8;
  size_t vm = 14;
  size_t spec = 16;
};

// As wide as ALERTS need, within bounds, so that one long name does not move all summaries.
AlertColumns ColumnsFor(const std::vector<v1::Alert>& alerts, const Look& look);

// A line: the time, '+' where the alert opens, '~' where it continues and '-' where it clears, its
// severity, VM, spec and summary. The summary goes below where it does not fit the line, whole.
// What is silenced begins with "[sID]".
std::string FormatAlert(const v1::Alert& alert, const AlertColumns& columns, const Look& look);

// The same with the date; below it the whole summary, why it matters, where to look and what was
// seen, broken into lines that fit.
std::string FormatAlertInFull(const v1::Alert& alert, const Look& look);

// ALERTS are open.
OpenCount CountOpen(const std::vector<v1::Alert>& alerts);

// What is missing in the stream, in words.
std::string FormatGap(const v1::Gap& gap, const Style& style);

}  // namespace kvmsentry
