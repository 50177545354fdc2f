// What people read: each function returns whole lines. Every text in them is escaped.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "kvmsentry/v1/alert.pb.h"
#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "kvmsentry/v1/silence.pb.h"
#include "sensor/cli/style.h"
#include "sensor/cli/terminal.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// Tables instead of the summary.
struct StatusParts {
  bool hooks = false;
  bool specs = false;
  bool losses = false;  // and limits
  bool wide = false;    // nothing of the summary is cut; else it is one screen
  bool any() const { return hooks || specs || losses; }
};

// How things are shown.
struct Look {
  Style style;
  absl::TimeZone zone;
  absl::Time now;
  size_t width = 80;  // kAnyWidth: nothing is cut

  bool wide() const { return width == kAnyWidth; }
};

// The VMs by their names, in a table that fits. WIDE: with more columns.
std::string FormatVms(const std::vector<v1::VmStatus>& vms, const Look& look);

// One VM in full. OPEN: its alerts that are open.
std::string FormatVm(const v1::VmStatus& vm, const std::vector<v1::Alert>& open, const Look& look);

std::string FormatCounts(const std::vector<v1::VmStatus>& vms, const Style& style);

// Why the VMs left their guests, the most frequent first, and how long that took. Begins with an
// empty line.
std::string FormatExits(const std::vector<v1::VmStatus>& vms, const Style& style);

// What the VMs have on the host. Begins with an empty line.
std::string FormatDevices(const std::vector<v1::VmStatus>& vms, const Look& look);

// All that each VM was given, a page a VM.
std::string FormatGiven(const v1::ListVmsResponse& response, const Style& style,
                        absl::TimeZone zone, size_t width);

// Whether all is well, on one screen of 80 by 24; or the parts that were asked for, below a line
// that says it.
std::string FormatStatus(const v1::GetStatusResponse& status, const StatusParts& parts,
                         const Style& style, absl::Time now, absl::TimeZone zone);

// One spec in words: what is normal, what happens else, and whether it can be told on this host.
std::string FormatSpec(const v1::SpecInfo& spec, const Look& look);

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Look& look);

// The members of sets that a VM was seen with, a set after the other.
std::string FormatMembers(const v1::ListMembersResponse& response, const Look& look);

std::string FormatSilences(const v1::ListSilencesResponse& response, const Look& look);
// "vm web-*, spec pio-*, at most WARNING".
std::string MatchText(const v1::SilenceMatch& match);

// What the site's layer changes, spec by spec and field by field.
std::string FormatDiff(const SpecLibrary& library, const Style& style);

// "WARNING -> NOTICE", "+ { vm: "ci-*" }"; not escaped.
std::string ChangeText(absl::string_view field, absl::string_view before, absl::string_view after);

}  // namespace kvmsentry
