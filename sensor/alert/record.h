// Alerts as bytes, for the journal's file.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/alert/journal.h"
#include "sensor/base/status.h"

namespace kvmsentry {

std::string EncodeRecord(const JournaledAlert& alert);

// DATA_LOSS where BYTES are no record.
absl::StatusOr<JournaledAlert> DecodeRecord(absl::string_view bytes);

}  // namespace kvmsentry
