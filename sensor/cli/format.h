// What people read: each function returns whole lines. Every text in them is escaped.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "kvmsentry/v1/alert.pb.h"
#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/cli/style.h"

namespace kvmsentry {

struct StatusParts {
  bool hooks = false;
  bool specs = false;
  bool losses = false;  // and limits
};

// A line; where the alert opens, why it matters and where to look below it.
std::string FormatAlert(const v1::Alert& alert, const Style& style, absl::TimeZone zone);

// What is missing in the stream, in words.
std::string FormatGap(const v1::Gap& gap, const Style& style);

std::string FormatVms(const v1::ListVmsResponse& response, bool counts, const Style& style,
                      absl::TimeZone zone);

// Why the VMs left their guests, the most frequent first, and how long that took. Begins with an
// empty line.
std::string FormatExits(const v1::ListVmsResponse& response, const Style& style);

// What the VMs have on the host. Begins with an empty line.
std::string FormatDevices(const v1::ListVmsResponse& response, const Style& style);

// All that each VM was given, a page a VM.
std::string FormatGiven(const v1::ListVmsResponse& response, const Style& style,
                        absl::TimeZone zone);

// Whether all is well, on one screen of 80 by 24; then the parts that were asked for.
std::string FormatStatus(const v1::GetStatusResponse& status, const StatusParts& parts,
                         const Style& style, absl::Time now, absl::TimeZone zone);

// One spec in words: what is normal, what happens else, and whether it can be told on this host.
std::string FormatSpec(const v1::SpecInfo& spec, const Style& style);

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Style& style);

}  // namespace kvmsentry
