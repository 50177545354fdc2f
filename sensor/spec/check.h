// From a spec as it was written to a spec as the engine uses it, with every problem on the way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/feature/feature.h"
#include "sensor/spec/places.h"
#include "sensor/spec/report.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// What to do about a norm that says nothing.
inline constexpr char kGiveANorm[] = "give it max, min, burst, allow, deny or max_members";

// What is built is meaningful only where nothing was reported.
Spec CheckSpec(const v1::Spec& spec, const Places& places, const Report& report);

// FEATURE is nullptr where it isn't known; then only what stands for itself is checked.
// The norm's numbers are judged over WINDOW_NS.
Norm CheckNorm(const v1::Norm& norm, const Places& places, const Feature* feature,
               int64_t window_ns, const Report& report);

// Reports patterns that no VM, and no part that FEATURE is observed of, can match, too.
Selector CheckSelector(const v1::Selector& select, const Places& places, const Feature* feature,
                       const Report& report);

// Words of lower-case letters and digits, joined by '-'; at most MOST characters.
bool AreJoinedWords(absl::string_view text, size_t most);
inline constexpr size_t kMaxIdLength = 64;

std::vector<std::string> CheckTags(const v1::Spec& spec, const Places& places,
                                   const Report& report);
std::vector<std::string> CheckMitre(const v1::Spec& spec, const Places& places,
                                    const Report& report);

// A spec and where it came from.
struct PlacedSpec {
  Spec spec;
  absl::string_view file;
  TextPosition at;     // of the spec
  TextPosition id_at;  // of its id
  Layer layer = Layer::kShipped;
};

// What can only be seen with all specs at hand. Duplicate ids are reported at the later spec, but
// of two layers at the site's; SPECS are ordered by layer.
void CheckIdsAreUnique(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems);
// Only where PROBLEMS holds no error: what could not be read would be taken for something wide.
void CheckNoneIsShadowed(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems);

}  // namespace kvmsentry
