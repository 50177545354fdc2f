// The feature catalogue: every measurable thing, put together from the domains' rows. Specs name
// features by it, sources say by it what they give, and the engine learns from it how to treat an
// observation.
#pragma once

#include <span>

#include "absl/strings/string_view.h"

#include "sensor/feature/feature.h"

namespace kvmsentry {

// All features, ordered by FeatureId, which is the index.
std::span<const Feature> Catalogue();

const Feature& FeatureOf(FeatureId id);

// Nullptr where no feature has the name.
const Feature* FindFeature(absl::string_view name);

// Of a feature that a program knows by its name. It ends the program where there is none.
FeatureId FeatureNamed(absl::string_view name);

// The feature whose name is most like NAME, for messages: never nullptr.
const Feature& NearestFeature(absl::string_view name);

// The rate that a meter counts; nullptr for a number that is no meter of the source (kernel data).
const Feature* FeatureOfMeter(MeterRef meter);

// "kvm", "vhost": the folder of the source.
absl::string_view SourceName(SourceId source);

}  // namespace kvmsentry
