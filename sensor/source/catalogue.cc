#include "sensor/source/catalogue.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "sensor/base/nearest.h"
#include "sensor/source/domains.h"

namespace kvmsentry {
namespace {

std::vector<Feature> Compose() {
  std::vector<Feature> all;
  for (const Domain& domain : Domains()) {
    for (Feature feature : domain.features()) {
      feature.id = static_cast<FeatureId>(all.size());
      feature.source = domain.source;
      all.push_back(feature);
    }
  }
  return all;
}

}  // namespace

std::span<const Feature> Catalogue() {
  static const auto* const catalogue = new std::vector<Feature>(Compose());
  return *catalogue;
}

const Feature& FeatureOf(FeatureId id) { return Catalogue()[static_cast<size_t>(id)]; }

const Feature* FindFeature(absl::string_view name) {
  const auto all = Catalogue();
  const auto found = std::ranges::find(all, name, &Feature::name);
  return found == all.end() ? nullptr : &*found;
}

FeatureId FeatureNamed(absl::string_view name) {
  const Feature* feature = FindFeature(name);
  if (feature == nullptr) std::abort();  // a mistake of the caller
  return feature->id;
}

const Feature& NearestFeature(absl::string_view name) {
  return NearestTo(name, Catalogue(), [](const Feature& feature) { return feature.name; });
}

const Feature* FeatureOfMeter(MeterRef meter) {
  const auto all = Catalogue();
  const auto found =
      std::ranges::find_if(all, [meter](const Feature& f) { return f.meter_ref() == meter; });
  return found == all.end() ? nullptr : &*found;
}

absl::string_view SourceName(SourceId source) {
  const auto domains = Domains();
  const auto found = std::ranges::find(domains, source, &Domain::source);
  return found == domains.end() ? "unknown" : found->name;
}

}  // namespace kvmsentry
