// What a test VMM leaves in $TMPDIR.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// The path of the file NAME there.
std::string InTemporary(absl::string_view name);

// A Unix socket at PATH that is listened at.
absl::StatusOr<Fd> ListenAt(const std::string& path);

}  // namespace kvmsentry
