// Norms in words, as alerts and lists show them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/feature/feature.h"
#include "sensor/spec/spec.h"
#include "sensor/spec/text_length.h"

namespace kvmsentry {

// "at most 20,000/s over 1s", "at most 500 in 10ms", "forbidden: MSR LSTAR (0xc0000082)".
std::string NormText(const Spec& spec, const Feature& feature,
                     TextLength length = TextLength::kBounded);

// "1,024 different ports within 1m"
std::string VarietyText(const Feature& feature, uint32_t members, int64_t window_ns);

}  // namespace kvmsentry
