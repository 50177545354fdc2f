#include "sensor/daemon/judge_members.h"

#include <variant>
#include <vector>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

std::vector<const Spec*> SpecsOn(FeatureId feature, const VmFacts& vm, const SpecLibrary& library) {
  std::vector<const Spec*> specs;
  for (const Spec& spec : library.specs()) {
    if (spec.feature == feature && spec.Selects(vm)) specs.push_back(&spec);
  }
  return specs;
}

MemberView ViewOf(FeatureId feature, const SeenMember& seen,
                  const std::vector<const Spec*>& specs) {
  MemberView view{.feature = feature, .judged = !specs.empty()};
  if (seen.wide == nullptr) {
    view.member.first = seen.value;
  } else {
    view.member = *seen.wide;
  }
  for (const Spec* spec : specs) {
    const auto* norm = std::get_if<SetNorm>(&spec->norm);  // else none alone is outside
    if (norm == nullptr) continue;
    const bool normal =
        seen.wide == nullptr ? norm->IsNormal(seen.value) : norm->IsNormal(*seen.wide);
    if (!normal) view.outside.push_back(spec->id);
  }
  return view;
}

}  // namespace

MembersView JudgeMembers(const SeenMembers& seen, const VmFacts& vm, const SpecLibrary& library,
                         absl::Time wall, KernelTime at) {
  MembersView view{.vm = vm};
  for (const FeatureId feature : SetFeatures()) {
    const SeenSet* const set = seen.Of(feature);
    if (set == nullptr) continue;
    const std::vector<const Spec*> specs = SpecsOn(feature, vm, library);
    for (uint32_t i = 0; i < set->size(); ++i) {
      const SeenMember& member = (*set)[i];
      MemberView& one = view.members.emplace_back(ViewOf(feature, member, specs));
      one.first_seen = wall - absl::Nanoseconds(at - member.first);
      one.last_seen = wall - absl::Nanoseconds(at.ns - member.last_ns.load());
    }
    if (set->beyond() > 0) view.left_out[feature] = set->beyond();
  }
  return view;
}

}  // namespace kvmsentry
