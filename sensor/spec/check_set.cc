#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "google/protobuf/reflection.h"

#include "sensor/source/catalogue.h"
#include "sensor/spec/check_norm.h"
#include "sensor/spec/covers.h"
#include "sensor/spec/read_members.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kStateField = "state";

// The fields of Members are the keys of the kinds that sets have, and one for states: a test
// compares them.
const google::protobuf::Descriptor& MembersType() { return *v1::Members::descriptor(); }

// The kind of members that FIELD names for FEATURE, or for any where that is unknown; nullptr where
// nothing has it.
const MemberKind* KindOf(absl::string_view field, const Feature* feature) {
  if (feature != nullptr && feature->kind == FeatureKind::kState) {
    return field == kStateField ? feature->member : nullptr;
  }
  for (const Feature& other : Catalogue()) {
    if (other.kind == FeatureKind::kSet && other.member->key == field) return other.member;
  }
  return nullptr;
}

absl::string_view FieldOf(const Feature& feature) {
  return feature.kind == FeatureKind::kState ? kStateField : feature.member->key;
}

void Read(const NormAt& at, absl::string_view field, const MemberKind& kind, const Places& places,
          const std::vector<std::string>& texts, SetNorm& set) {
  const std::vector<TextPosition> values = places.ValuesOf(field);
  for (size_t i = 0; i < texts.size(); ++i) {
    const absl::Status added = AddMembers(kind, texts[i], set);
    if (added.ok()) continue;
    at.report(i < values.size() ? values[i] : places.Of(field), std::string(added.message()));
  }
}

}  // namespace

bool MembersLeftOut(const Places& places) {
  for (int i = 0; i < MembersType().field_count(); ++i) {
    if (places.LeftOut({MembersType().field(i)->name()})) return true;
  }
  return false;
}

Norm CheckSet(const NormAt& at, absl::string_view kind, const v1::Members& members) {
  const Places places = at.places.Into(kind);
  const bool fits = at.feature != nullptr && (at.feature->kind == FeatureKind::kSet ||
                                              at.feature->kind == FeatureKind::kState);
  SetNorm set{.allow = kind == "allow", .members = {}};
  bool any = false;
  for (int i = 0; i < MembersType().field_count(); ++i) {
    const auto* field = MembersType().field(i);
    const auto& texts = members.GetReflection()->GetRepeatedFieldRef<std::string>(members, field);
    if (texts.empty()) continue;
    any = true;
    if (fits && field->name() != FieldOf(*at.feature)) {
      at.report(places.Of(field->name()),
                absl::StrCat(field->name(), " is not the field of feature \"", at.feature->name,
                             "\"; write ", FieldOf(*at.feature)));
      continue;
    }
    const MemberKind* member = KindOf(field->name(), at.feature);
    if (member == nullptr) continue;
    Read(at, field->name(), *member, places, {texts.begin(), texts.end()}, set);
  }
  if (!any) at.report(places.self(), absl::StrCat(kind, " names no member"));
  set.members = JoinOverlaps(std::move(set.members));
  if (fits && set.allow && Covers(set.members, {{0, at.feature->member->largest}})) {
    at.report(places.self(), "allow names every member: everything would be normal");
  }
  return set;
}

Norm CheckVariety(const NormAt& at) {
  const uint32_t most = at.norm.max_members();
  if (most < 1 || most > kMaxVariety) {
    at.report(at.places.Of("max_members"),
              absl::StrCat("max_members is ", most, "; it must be from 1 to ", kMaxVariety));
  }
  return VarietyNorm{most};
}

}  // namespace kvmsentry
