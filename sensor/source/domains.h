// The domains that the catalogue is put together from.
#pragma once

#include <span>

#include "absl/strings/string_view.h"

#include "sensor/feature/feature.h"

namespace kvmsentry {

struct Domain {
  SourceId source;
  absl::string_view name;  // of its folder
  std::span<const Feature> (*features)();
};

std::span<const Domain> Domains();

}  // namespace kvmsentry
