// The configuration file of kvmsentryd: a subset of TOML, NAME = VALUE lines.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

struct ConfigEntry {
  int line = 0;  // where its name stands, from 1
  std::string name;
  std::vector<std::string> values;  // more than one where the file has a list
};

// The entries of TEXT in their order. A value is a quoted string, a bare word, or a list of these
// in brackets; '#' begins a comment. INVALID_ARGUMENT "LINE: what is wrong". Pure.
absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(absl::string_view text);

}  // namespace kvmsentry
