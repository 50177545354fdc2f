#include "sensor/spec/library.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/spec/check.h"
#include "sensor/spec/parse.h"
#include "sensor/spec/places.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxSpecs = 10'000;

// False where there are more specs than a library may hold.
bool ReadSource(const SpecSource& source, const Report& report, std::vector<PlacedSpec>& specs) {
  if (source.text.size() > kMaxSpecFileBytes) {
    report({1, 1}, "the file is larger than 1 MiB; split it into several files");
    return true;
  }
  bool full = false;
  ParseBlocks(source.text, report, [&](const ParsedBlock& block) {
    const Places places(block);
    for (int i = 0; i < block.message.spec_size() && !full; ++i) {
      const Places here = places.Into("spec", i);
      if (specs.size() == kMaxSpecs) {
        report(here.self(),
               absl::StrCat("more than ", kMaxSpecs,
                            " specs in the library; from here on they are not checked"));
        full = true;
        return;
      }
      specs.push_back({CheckSpec(block.message.spec(i), here, report), source.file, here.self(),
                       here.Of("id")});
    }
  });
  return !full;
}

auto Order(const Problem& p) { return std::tie(p.file, p.line, p.column, p.message); }

bool IsError(const Problem& problem) { return !problem.is_warning; }

// A block is parsed again after each repair, and then finds the other errors again.
void SortWithoutRepeats(std::vector<Problem>& problems) {
  std::ranges::sort(problems, {}, Order);
  const auto alike = [](const Problem& a, const Problem& b) { return Order(a) == Order(b); };
  problems.erase(std::unique(problems.begin(), problems.end(), alike), problems.end());
}

}  // namespace

SpecLibrary::Result SpecLibrary::Parse(const std::vector<SpecSource>& sources) {
  Result result;
  std::vector<PlacedSpec> specs;
  for (const SpecSource& source : sources) {
    if (!ReadSource(source, Report(source.file, result.problems), specs)) break;
  }
  CheckTogether(specs, result.problems);
  if (specs.empty() && result.problems.empty() && !sources.empty()) {
    Report(sources.front().file, result.problems)({1, 1}, "the library holds no spec");
  }
  SortWithoutRepeats(result.problems);
  if (std::ranges::any_of(result.problems, IsError)) return result;
  for (PlacedSpec& placed : specs) result.library.specs_.push_back(std::move(placed.spec));
  std::ranges::sort(result.library.specs_, {}, &Spec::id);
  return result;
}

absl::StatusOr<SpecLibrary> SpecLibrary::Load(const std::filesystem::path& dir) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::vector<SpecSource> sources, ReadSpecFolder(dir));
  Result result = Parse(sources);
  std::vector<std::string> errors;
  for (const Problem& problem : result.problems) {
    if (IsError(problem)) errors.push_back(ToString(problem));
  }
  if (errors.empty()) return std::move(result.library);
  return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
}

const Spec* SpecLibrary::Find(absl::string_view id) const {
  const auto found = std::ranges::lower_bound(
      specs_, id, {}, [](const Spec& spec) { return absl::string_view(spec.id); });
  return found != specs_.end() && found->id == id ? &*found : nullptr;
}

}  // namespace kvmsentry
