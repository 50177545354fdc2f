#include "sensor/rpc/spec_view.h"

#include "sensor/source/catalogue.h"
#include "sensor/spec/norm_text.h"
#include "sensor/spec/selector.h"

namespace kvmsentry {

SpecView ViewOf(const SpecLibrary& library, const Spec& spec) {
  const Feature& feature = FeatureOf(spec.feature);
  return {.id = spec.id,
          .point = spec.point,
          .feature = std::string(feature.name),
          .severity = spec.severity,
          .norm_text = spec.norm_text,
          .selector_text = spec.selector_text,
          .whole_norm_text = NormText(spec, feature, TextLength::kWhole),
          .whole_selector_text = SelectorText(spec.select, spec.except, TextLength::kWhole),
          .coverage = Coverage::kUnknown,
          .reason = "",
          .occurrences = std::string(feature.noun),
          .hooks = {feature.hooks.begin(), feature.hooks.end()},
          .weight = spec.weight,
          .why = spec.why,
          .look_at = spec.look_at,
          .tags = spec.tags,
          .mitre = spec.mitre,
          .observe_only = spec.observe_only,
          .origin = library.OriginOf(spec.id),
          .select = spec.select,
          .except = spec.except};
}

}  // namespace kvmsentry
