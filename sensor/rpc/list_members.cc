#include "sensor/rpc/list_members.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/base/nearest.h"
#include "sensor/rpc/convert.h"
#include "sensor/rpc/request.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr int32_t kMostMembers = 1000;

std::vector<const Feature*> SetFeatures() {
  std::vector<const Feature*> sets;
  for (const Feature& feature : Catalogue()) {
    if (feature.kind == FeatureKind::kSet) sets.push_back(&feature);
  }
  return sets;
}

// By its name, or by what its members are called if that says it: "port".
absl::StatusOr<const Feature*> FindSet(const std::string& name) {
  const std::vector<const Feature*> sets = SetFeatures();
  for (const Feature* set : sets) {
    if (set->name == name || set->member->key == name) return set;
  }
  const Feature& meant = *NearestTo(name, sets, [](const Feature* set) { return set->name; });
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", Escape(name, kMaxPatternBytes), "\" is ",
      FindFeature(name) != nullptr ? "a feature that is no set of members" : "no feature",
      "; did you mean \"", meant.name, "\"?"));
}

// The one that is shown by this name; else the only one that was given it, or that has this uuid.
absl::StatusOr<VmId> FindVm(const std::vector<VmView>& vms, const std::string& name) {
  std::vector<const VmView*> found;
  for (const VmView& vm : vms) {
    if (vm.vm.name == name) return vm.vm.id;
    if (vm.vm.given_name == name || (!name.empty() && vm.vm.uuid == name)) found.push_back(&vm);
  }
  if (found.size() == 1) return found[0]->vm.id;
  const std::string quoted = absl::StrCat("\"", Escape(name, kMaxPatternBytes), "\"");
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(found.size(), " VMs are called ", quoted,
                                                   "; name one as the list of VMs shows it: \"",
                                                   found[0]->vm.name, "\""));
  }
  if (vms.empty()) return absl::NotFoundError("the sensor knows of no VM");
  const VmView& meant = NearestTo(name, vms, [](const VmView& vm) { return vm.vm.name; });
  return absl::NotFoundError(
      absl::StrCat("no VM ", quoted, "; did you mean \"", meant.vm.name, "\"?"));
}

v1::SeenMember SeenOf(const MemberView& member) {
  const Feature& feature = FeatureOf(member.feature);
  v1::SeenMember proto;
  proto.set_feature(std::string(feature.name));
  proto.set_text(EscapeAgain(MemberText(*feature.member, member.member)));
  if (feature.member->type == MemberType::kNumber && member.member.first != kUntoldMember) {
    proto.set_number(NumberText(*feature.member, member.member.first));
    proto.set_name(std::string(NameOfMember(*feature.member, member.member.first)));
  }
  *proto.mutable_first_seen() = kvmsentry::ToProto(member.first_seen);
  *proto.mutable_last_seen() = kvmsentry::ToProto(member.last_seen);
  for (const std::string& spec : member.outside) proto.add_outside(EscapeAgain(spec));
  proto.set_judged(member.judged);
  return proto;
}

// How far a page came: so many of this feature's. Members are only ever added at the end.
struct Place {
  FeatureId feature = {};
  uint64_t shown = 0;
};

absl::StatusOr<Place> ReadToken(const std::string& token) {
  Place place;
  if (token.empty()) return place;
  const size_t colon = token.find(':');
  const Feature* feature =
      colon == std::string::npos ? nullptr : FindFeature(token.substr(0, colon));
  if (feature == nullptr || !absl::SimpleAtoi(token.substr(colon + 1), &place.shown)) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token: '", Escape(token, kMaxPatternBytes), "' is none of this method"));
  }
  place.feature = feature->id;
  return place;
}

}  // namespace

absl::Status ListMembers(const SensorView& view, const v1::ListMembersRequest& request,
                         v1::ListMembersResponse& response) {
  const int32_t asked = request.page_size();
  if (asked < 0 || asked > kMostMembers) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: ", asked, " is not within 0 and ", kMostMembers));
  }
  const int32_t size = asked == 0 ? kMostMembers : asked;
  const Feature* only = nullptr;
  if (!request.feature().empty()) {
    KVMSENTRY_ASSIGN_OR_RETURN(only, FindSet(request.feature()));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const Place after, ReadToken(request.page_token()));
  KVMSENTRY_ASSIGN_OR_RETURN(const VmId id, FindVm(view.Vms(/*with_exits=*/false), request.vm()));
  const std::optional<MembersView> seen = view.Members(id);
  if (!seen) {
    return absl::NotFoundError(absl::StrCat("VM \"", Escape(request.vm(), kMaxPatternBytes),
                                            "\" is not watched; the list of VMs says why"));
  }
  *response.mutable_vm() = ToProto(seen->vm);
  Place at;
  for (const MemberView& member : seen->members) {
    if (only != nullptr && member.feature != only->id) continue;
    if (member.feature != at.feature || at.shown == 0) at = {member.feature, 0};
    ++at.shown;
    if (at.feature < after.feature || (at.feature == after.feature && at.shown <= after.shown)) {
      continue;
    }
    if (response.members_size() == size) {
      response.set_next_page_token(absl::StrCat(FeatureOf(at.feature).name, ":", at.shown - 1));
      break;
    }
    *response.add_members() = SeenOf(member);
  }
  for (const auto& [feature, sightings] : seen->left_out) {
    if (only != nullptr && feature != only->id) continue;
    v1::MembersLeftOut& left_out = *response.add_left_out();
    left_out.set_feature(std::string(FeatureOf(feature).name));
    left_out.set_sightings(sightings);
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
