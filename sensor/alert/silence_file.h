// The silences in the state folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/alert/silence.h"
#include "sensor/base/status.h"

namespace kvmsentry {

struct KeptSilences {
  uint64_t last_id = 0;  // that was ever given: none is given twice
  std::vector<Silence> silences = {};
};

// None where there is no file. DATA_LOSS where it cannot be understood.
absl::StatusOr<KeptSilences> ReadSilences(const std::string& path);

// Replaces the file, of mode 0600, as a whole: after a crash there is this one or the one before.
absl::Status WriteSilences(const std::string& path, const KeptSilences& kept);

}  // namespace kvmsentry
