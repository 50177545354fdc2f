#include "sensor/spec/override.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

#include "sensor/source/catalogue.h"
#include "sensor/spec/check.h"
#include "sensor/spec/check_norm.h"

namespace kvmsentry {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kOverriddenId = v1::Override::kSpecFieldNumber;

// What is added to the spec's own; every other field replaces the spec's.
bool IsAdded(const FieldDescriptor& field) {
  return field.number() == v1::Override::kExceptFieldNumber ||
         field.number() == v1::Override::kAllowFieldNumber;
}

// One value as a spec file writes it: `{ max: 5 }`, `WARNING`, `"web-*"`; empty where it is absent.
std::string ValueText(const Message& message, const FieldDescriptor& field, int index = -1) {
  const auto& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  if (repeated && index < 0) {
    std::string all;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      absl::StrAppend(&all, i == 0 ? "" : ", ", ValueText(message, field, i));
    }
    return all;
  }
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (!repeated && is_message && !reflection.HasField(message, &field)) return "";
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  if (!is_message) {
    printer.PrintFieldValueToString(message, &field, index, &text);
    return text;
  }
  printer.PrintToString(repeated ? reflection.GetRepeatedMessage(message, &field, index)
                                 : reflection.GetMessage(message, &field),
                        &text);
  return absl::StrCat("{ ", text, "}");  // each field in it ends in a blank
}

// The fields of CHANGE that PLACES has, put into SPEC; `except` is added.
void Apply(const v1::Override& change, const Places& places, v1::Spec& spec) {
  if (places.Has("select")) *spec.mutable_select() = change.select();
  if (places.Has("window")) *spec.mutable_window() = change.window();
  if (places.Has("norm")) *spec.mutable_norm() = change.norm();
  if (places.Has("weight")) spec.set_weight(change.weight());
  if (places.Has("severity")) spec.set_severity(change.severity());
  if (places.Has("why")) spec.set_why(change.why());
  if (places.Has("look_at")) spec.set_look_at(change.look_at());
  if (places.Has("for")) *spec.mutable_for_() = change.for_();
  if (places.Has("hold")) *spec.mutable_hold() = change.hold();
  if (places.Has("tags")) *spec.mutable_tags() = change.tags();
  if (places.Has("mitre")) *spec.mutable_mitre() = change.mitre();
  if (places.Has("mode")) spec.set_mode(change.mode());
  spec.mutable_except()->MergeFrom(change.except());
}

// Adds what CHANGE allows to the norm of SPEC, which has its place in NAMED.
void Allow(const WrittenOverride& change, absl::string_view named, v1::Spec& spec,
           std::vector<Problem>& problems) {
  if (!change.places.Has("allow")) return;
  const Report report("", problems);
  if (!spec.norm().has_allow()) {
    report(change.places.Of("allow"),
           absl::StrCat("spec ", Quoted(spec.id()), named,
                        " has no members that are allowed, so none can be added; give it another "
                        "norm"));
    return;
  }
  const size_t known = problems.size();
  const v1::Norm none;
  CheckSet({none, change.places, FindFeature(spec.feature()), 0, report}, "allow",
           change.message.allow());
  if (problems.size() == known)
    spec.mutable_norm()->mutable_allow()->MergeFrom(change.message.allow());
}

// The fields of an override, in the order of the schema, without the id.
std::vector<const FieldDescriptor*> OverrideFields() {
  std::vector<const FieldDescriptor*> fields;
  const auto& type = *v1::Override::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->number() != kOverriddenId) fields.push_back(type.field(i));
  }
  return fields;
}

}  // namespace

FilePlace ToFilePlace(TextPosition at) {
  return {.file = std::string(at.file), .line = at.line, .column = at.column};
}

Spec Overridden(const WrittenSpec& spec, const std::vector<const WrittenOverride*>& overrides,
                Origin& origin, std::vector<Problem>& problems) {
  const std::string& id = spec.placed.spec.id;
  v1::Spec merged = spec.message;
  std::vector<OverridePlaces> places;
  std::map<int, TextPosition> given;  // by field
  bool twice = false;
  for (const WrittenOverride* change : overrides) {
    bool changes_something = false;
    for (const FieldDescriptor* field : OverrideFields()) {
      if (!change->places.Has(field->name())) continue;
      changes_something = true;
      const TextPosition at = change->places.Of(field->name());
      if (IsAdded(*field)) continue;
      const auto [first, is_new] = given.emplace(field->number(), at);
      if (is_new) continue;
      twice = true;
      Report("", problems)(
          at, absl::StrCat(field->name(), " of spec ", Quoted(id), " is already overridden at ",
                           ToString(ToFilePlace(first->second)), "; keep one of them"));
    }
    if (!changes_something && !change->places.LeftOutAny()) {
      Report("", problems)
          .Warn(change->at, absl::StrCat("override of ", Quoted(id), " changes nothing"));
    }
    Apply(change->message, change->places, merged);
    places.push_back({change->places, change->message.except_size()});
  }
  if (twice || places.empty()) return spec.placed.spec;

  const std::string named = absl::StrCat(" of ", ToString(ToFilePlace(spec.placed.at)));
  for (const WrittenOverride* change : overrides) Allow(*change, named, merged, problems);
  const std::string note = absl::StrCat(" (spec ", Quoted(id), named, ", as overridden here)");
  const Places merged_places(spec.places, spec.message.except_size(), places);
  Spec checked = CheckSpec(merged, merged_places, Report("", problems, note));

  for (int i = 0; i < spec.message.except_size(); ++i) {
    origin.except_at.push_back(ToFilePlace(spec.places.Into("except", i).self()));
  }
  for (const FieldDescriptor* field : OverrideFields()) {
    for (const WrittenOverride* change : overrides) {
      if (!change->places.Has(field->name())) continue;
      FieldChange& entry = origin.changes.emplace_back();
      entry.field = std::string(field->name());
      entry.after = ValueText(change->message, *field);
      entry.at = ToFilePlace(change->places.Of(field->name()));
      if (!IsAdded(*field)) {
        entry.before =
            ValueText(spec.message, *v1::Spec::descriptor()->FindFieldByNumber(field->number()));
      }
    }
  }
  for (const WrittenOverride* change : overrides) {
    for (int i = 0; i < change->message.except_size(); ++i) {
      origin.except_at.push_back(ToFilePlace(change->places.Into("except", i).self()));
    }
  }
  return checked;
}

}  // namespace kvmsentry
