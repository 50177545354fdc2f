#include "sensor/spec/check_norm.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/spec/check.h"

namespace kvmsentry {
namespace {

// A kind of norm: the fields that it is written in, and what it fits.
struct NormKind {
  std::vector<absl::string_view> fields;
  bool rate, level, set, state;
};

const std::vector<NormKind>& NormKinds() {
  static const auto* const kinds = new std::vector<NormKind>{
      {{"max", "min", "clear"}, true, true, false, false},
      {{"max_percent_of_given", "min_percent_of_given"}, false, true, false, false},
      {{"burst"}, true, false, false, false},
      {{"allow"}, false, false, true, true},
      {{"deny"}, false, false, true, true},
      {{"max_members"}, false, false, true, false},
  };
  return *kinds;
}

// The kind that is written in FIELD.
const NormKind& KindOf(absl::string_view field) {
  return *std::ranges::find_if(NormKinds(), [field](const NormKind& kind) {
    return std::ranges::find(kind.fields, field) != kind.fields.end();
  });
}

bool Fits(const NormKind& norm, FeatureKind feature) {
  switch (feature) {
    case FeatureKind::kRate:
      return norm.rate;
    case FeatureKind::kLevel:
      return norm.level;
    case FeatureKind::kSet:
      return norm.set;
    case FeatureKind::kState:
      return norm.state;
  }
  return false;
}

absl::string_view WhatFits(FeatureKind feature) {
  switch (feature) {
    case FeatureKind::kRate:
      return "a rate: give the norm max, min or burst";
    case FeatureKind::kLevel:
      return "a level: give the norm max, min, max_percent_of_given or min_percent_of_given";
    case FeatureKind::kSet:
      return "a set: give the norm allow, deny or max_members";
    case FeatureKind::kState:
      return "a state: give the norm allow or deny";
  }
  return "";
}

// The first field of each kind that is given. A clear is part of the percents', too.
std::vector<std::pair<absl::string_view, const NormKind*>> Given(const Places& places) {
  std::vector<std::pair<absl::string_view, const NormKind*>> given;
  const bool percents = places.Has("max_percent_of_given") || places.Has("min_percent_of_given");
  for (const NormKind& kind : NormKinds()) {
    for (const absl::string_view field : kind.fields) {
      if (!places.Has(field) || (field == "clear" && percents)) continue;
      given.emplace_back(field, &kind);
      break;  // together they are one kind
    }
  }
  return given;
}

void CheckKind(const NormAt& at) {
  const auto given = Given(at.places);
  if (given.empty()) {
    at.report(at.places.self(), absl::StrCat("norm says nothing: ", kGiveANorm));
  } else if (given.size() > 1) {
    const auto name = [](std::string* out, const auto& g) { absl::StrAppend(out, g.first); };
    at.report(at.places.self(), absl::StrCat("norm is of more than one kind: ",
                                             absl::StrJoin(given, ", ", name), "; split the spec"));
  } else if (at.feature != nullptr && !Fits(*given[0].second, at.feature->kind)) {
    at.report(at.places.Of(given[0].first),
              absl::StrCat(given[0].first, " does not fit feature \"", at.feature->name, "\", ",
                           WhatFits(at.feature->kind)));
  }
}

void CheckUnit(const NormAt& at) {
  if (at.feature == nullptr || !at.places.Has("unit") || at.norm.unit() == at.feature->unit) return;
  at.report(at.places.Of("unit"),
            absl::StrCat("unit ", Quoted(at.norm.unit()), " is not that of feature \"",
                         at.feature->name, "\": its norm is in \"", at.feature->unit, "\""));
}

void CheckPer(const NormAt& at) {
  if (!at.places.Has("per")) return;
  if (at.norm.has_allow() || at.norm.has_deny() || at.norm.has_max_members()) {
    at.report(at.places.Of("per"),
              "per does not fit allow, deny or max_members: a set is the VM's");
  } else if (at.feature != nullptr && at.feature->part != PartKind::kVm) {
    at.report(at.places.Of("per"), absl::StrCat("per does not fit feature \"", at.feature->name,
                                                "\", which is observed of each ",
                                                PartKindName(at.feature->part), " already"));
  }
}

}  // namespace

Norm CheckNorm(const v1::Norm& norm, const Places& places, const Feature* feature,
               int64_t window_ns, const Report& report) {
  // What could not be read was reported; whether the rest agrees with it can't be known.
  if (places.LeftOut({"norm", "max", "min", "clear", "burst", "count", "milliseconds", "allow",
                      "deny", "max_percent_of_given", "min_percent_of_given", "per",
                      "max_members"}) ||
      MembersLeftOut(places)) {
    return RangeNorm{};
  }
  const NormAt at{norm, places, feature, window_ns, report};
  CheckKind(at);
  CheckUnit(at);
  CheckPer(at);
  if (norm.has_burst()) return CheckBurst(at);
  if (norm.has_allow() || norm.has_deny()) {
    const absl::string_view field = norm.has_allow() ? "allow" : "deny";
    const Norm set = CheckSet(at, field, norm.has_allow() ? norm.allow() : norm.deny());
    // Whoever reads a set goes by the kind of its feature's members: others have none.
    const bool fits = feature == nullptr || Fits(KindOf(field), feature->kind);
    return fits ? set : RangeNorm{};
  }
  if (norm.has_max_members()) {
    const bool fits = feature == nullptr || Fits(KindOf("max_members"), feature->kind);
    return fits ? CheckVariety(at) : RangeNorm{};
  }
  return CheckRange(at);
}

}  // namespace kvmsentry
