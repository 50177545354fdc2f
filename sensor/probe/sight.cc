#include "sensor/probe/sight.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kBirths = "kvm_track_tsc";

std::string ReasonOf(const HookCoverage& hook) {
  return absl::StrCat(hook.hook->name, ": ", hook.reason);
}

}  // namespace

Sight SightOf(std::span<const HookCoverage> hooks) {
  size_t all = 0;
  size_t missing = 0;
  const HookCoverage* first = nullptr;
  const HookCoverage* births = nullptr;
  for (const HookCoverage& hook : hooks) {
    if (!absl::StartsWith(hook.hook->name, "kvm_")) continue;
    ++all;
    if (hook.coverage != Coverage::kUnobservable) continue;
    ++missing;
    if (first == nullptr) first = &hook;
    if (hook.hook->name == kBirths) births = &hook;
  }
  if (missing != 0 && missing == all) {
    return {Sight::Extent::kNothing,
            absl::StrCat("none of the ", all, " hooks on KVM can be attached on this kernel (",
                         ReasonOf(*first), "); boot ", kOldestTested, " or newer")};
  }
  if (births != nullptr) {
    return {Sight::Extent::kLittle,
            absl::StrCat("births of VMs are not seen (", ReasonOf(*births), ")")};
  }
  if (2 * missing > all) {
    return {Sight::Extent::kLittle,
            absl::StrCat(missing, " of the ", all, " hooks on KVM are missing (", ReasonOf(*first),
                         ")")};
  }
  return {};
}

}  // namespace kvmsentry
