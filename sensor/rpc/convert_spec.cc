// Specs and their library as protos.
#include "sensor/base/escape.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/convert_parts.h"
#include "sensor/spec/selection.h"

namespace kvmsentry {
namespace {

v1::SpecLayer LayerOf(Layer layer) { return layer == Layer::kSite ? v1::SITE : v1::SHIPPED; }

}  // namespace

v1::SpecInfo ToProto(const SpecView& spec) {
  v1::SpecInfo proto;
  proto.set_id(EscapeAgain(spec.id));
  proto.set_point(Cast<v1::Point>(spec.point));
  proto.set_feature(EscapeAgain(spec.feature));
  proto.set_severity(Cast<v1::Severity>(spec.severity));
  proto.set_norm_text(EscapeAgain(spec.norm_text));
  proto.set_selector_text(EscapeAgain(spec.selector_text));
  proto.set_coverage(Cast<v1::Coverage>(spec.coverage));
  proto.set_reason(EscapeAgain(spec.reason));
  proto.set_occurrences(EscapeAgain(spec.occurrences));
  for (const std::string& hook : spec.hooks) proto.add_hooks(EscapeAgain(hook));
  proto.set_weight(spec.weight);
  proto.set_why(EscapeAgain(spec.why));
  proto.set_look_at(EscapeAgain(spec.look_at));
  for (const std::string& tag : spec.tags) proto.add_tags(EscapeAgain(tag));
  for (const std::string& technique : spec.mitre) proto.add_mitre(EscapeAgain(technique));
  proto.set_observe_only(spec.observe_only);
  v1::SpecOrigin& origin = *proto.mutable_origin();
  origin.set_layer(LayerOf(spec.origin.layer));
  if (!spec.origin.at.file.empty()) origin.set_place(EscapeAgain(ToString(spec.origin.at)));
  for (const FieldChange& change : spec.origin.changes) {
    v1::SpecChange& out = *origin.add_changes();
    out.set_field(EscapeAgain(change.field));
    out.set_before(EscapeAgain(change.before));
    out.set_after(EscapeAgain(change.after));
    out.set_place(EscapeAgain(ToString(change.at)));
  }
  return proto;
}

void AddWholeTexts(const SpecView& spec, v1::SpecInfo* proto) {
  proto->set_whole_norm_text(EscapeAgain(spec.whole_norm_text));
  proto->set_whole_selector_text(EscapeAgain(spec.whole_selector_text));
}

v1::DisabledSpec ToProto(const DisabledSpec& spec) {
  v1::DisabledSpec proto;
  proto.set_id(EscapeAgain(spec.id));
  proto.set_layer(LayerOf(spec.layer));
  proto.set_place(EscapeAgain(ToString(spec.at)));
  proto.set_spec_place(EscapeAgain(ToString(spec.spec_at)));
  return proto;
}

v1::SpecLibraryStatus ToProto(const LibraryView& library) {
  v1::SpecLibraryStatus proto;
  proto.set_sha256(EscapeAgain(library.sha256));
  *proto.mutable_loaded_at() = ToProto(library.loaded_at);
  proto.set_shipped_specs(static_cast<uint32_t>(library.shipped));
  proto.set_site_specs(static_cast<uint32_t>(library.site));
  proto.set_overridden_specs(static_cast<uint32_t>(library.overridden));
  proto.set_disabled_specs(static_cast<uint32_t>(library.disabled.size()));
  if (library.refused.empty()) return proto;
  proto.set_refused_reason(EscapeAgain(library.refused));
  *proto.mutable_refused_at() = ToProto(library.refused_at);
  return proto;
}

v1::SpecSelection SelectionOf(const SpecView& spec, const VmFacts& vm) {
  const Selection selection = SelectionOf(spec.select, spec.except, vm);
  v1::SpecSelection proto;
  *proto.mutable_vm() = ToProto(vm);
  proto.set_verdict(Cast<v1::SpecSelection::Verdict>(selection.verdict));
  const bool excepted = selection.verdict == Selection::Verdict::kExcepted;
  const std::string place =
      excepted && selection.except < spec.origin.except_at.size()
          ? absl::StrCat(", at ", ToString(spec.origin.except_at[selection.except]))
          : "";
  proto.set_reason(EscapeAgain(absl::StrCat(selection.reason, place)));
  return proto;
}

}  // namespace kvmsentry
