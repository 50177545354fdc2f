// What all alerts' summaries have in common.
#pragma once

#include <string>

#include "sensor/engine/report.h"

namespace kvmsentry {

// The fields that every alert has.
AlertEvent BeginReport(const VmFacts& vm, const Step& step, KernelTime opened_at);

// `VM "web-1"`, `VM "web-1", vcpu-3`.
std::string SubjectText(const AlertEvent& event);

// "the alert lasted 4.4 s"
std::string LastedText(const AlertEvent& event);

// The beginning of a summary that the norm did not end: `VM "web-1" exited; the alert lasted 4.4 s;
// `.
std::string EndText(const AlertEvent& event, ClearedBy by);

// A norm as the limit that was passed: "limit 20,000/s over 1s". TEXT is the spec's norm_text.
std::string LimitText(const std::string& norm_text);

}  // namespace kvmsentry
