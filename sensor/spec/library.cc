#include "sensor/spec/library.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/glob.h"
#include "sensor/base/nearest.h"
#include "sensor/spec/check.h"
#include "sensor/spec/override.h"
#include "sensor/spec/read_layer.h"

namespace kvmsentry {
namespace {

auto Order(const Problem& p) { return std::tie(p.file, p.line, p.column, p.message); }

bool IsError(const Problem& problem) { return !problem.is_warning; }

// A block is parsed again after each repair, and then finds the other errors again.
void SortWithoutRepeats(std::vector<Problem>& problems) {
  std::ranges::sort(problems, {}, Order);
  const auto alike = [](const Problem& a, const Problem& b) { return Order(a) == Order(b); };
  problems.erase(std::unique(problems.begin(), problems.end(), alike), problems.end());
}

// Puts the site's layer onto the shipped one.
class Layering {
 public:
  Layering(const ReadLayer& shipped, const ReadLayer& site, std::vector<Problem>& problems)
      : site_(site), problems_(problems) {
    for (const ReadLayer* layer : {&shipped, &site}) {
      for (const WrittenSpec& spec : layer->specs) {
        specs_.push_back(&spec);
        if (!spec.placed.spec.id.empty()) by_id_.emplace(spec.placed.spec.id, &spec);
      }
    }
  }

  void Run() {
    std::vector<PlacedSpec> all;
    for (const WrittenSpec* spec : specs_) all.push_back(spec->placed);
    CheckIdsAreUnique(all, problems_);
    FindDisabled();
    FindOverrides();
    for (const WrittenSpec* spec : specs_) {
      if (!disabled_.contains(spec->placed.spec.id)) Add(*spec);
    }
    CheckNoneIsShadowed(placed_, problems_);
  }

  std::vector<PlacedSpec> TakeSpecs() { return std::move(placed_); }
  std::map<std::string, Origin, std::less<>> TakeOrigins() { return std::move(origins_); }
  std::vector<DisabledSpec> Disabled() const {
    std::vector<DisabledSpec> disabled;
    for (const auto& [id, at] : disabled_) {
      const PlacedSpec& spec = by_id_.find(id)->second->placed;
      disabled.push_back({id, spec.layer, ToFilePlace(at), ToFilePlace(spec.at)});
    }
    return disabled;
  }

 private:
  Report report() const { return Report("", problems_); }

  // Nullptr: there is none, which is reported at AT.
  const WrittenSpec* Find(absl::string_view what, const std::string& id, TextPosition at) {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) return found->second;
    std::string hint = "the library has no specs";
    if (IsPattern(id)) {
      hint = "a pattern is not taken, so that no spec of a later release is meant by it: name each";
    } else if (!by_id_.empty()) {
      const auto& meant = NearestTo(id, by_id_, [](const auto& entry) { return entry.first; });
      hint = absl::StrCat("did you mean ", Quoted(meant.first), " of ",
                          ToString(ToFilePlace(meant.second->placed.id_at)), "?");
    }
    report()(at, absl::StrCat(what, " of an unknown spec ", Quoted(id), "; ", hint));
    return nullptr;
  }

  void FindDisabled() {
    for (const WrittenDisable& disable : site_.disables) {
      if (Find("disable", disable.id, disable.at) == nullptr) continue;
      const auto [first, is_new] = disabled_.emplace(disable.id, disable.at);
      if (is_new) continue;
      report().Warn(disable.at,
                    absl::StrCat("spec ", Quoted(disable.id), " is already disabled at ",
                                 ToString(ToFilePlace(first->second))));
    }
  }

  void FindOverrides() {
    for (const WrittenOverride& change : site_.overrides) {
      const std::string& id = change.message.spec();
      const WrittenSpec* spec = Find("override", id, change.at);
      if (spec == nullptr) continue;
      overrides_[spec].push_back(&change);
      const auto disabled = disabled_.find(id);
      if (disabled == disabled_.end()) continue;
      report().Warn(change.at,
                    absl::StrCat("override of ", Quoted(id), " is for nothing: ",
                                 ToString(ToFilePlace(disabled->second)), " disables that spec"));
    }
  }

  void Add(const WrittenSpec& written) {
    Origin& origin = origins_[written.placed.spec.id];
    origin.layer = written.placed.layer;
    origin.at = ToFilePlace(written.placed.at);
    PlacedSpec& placed = placed_.emplace_back(written.placed);
    const auto overrides = overrides_.find(&written);
    if (overrides == overrides_.end() || !written.sound) return;
    placed.spec = Overridden(written, overrides->second, origin, problems_);
    placed.id_at = overrides->second.front()->at;
  }

  const ReadLayer& site_;
  std::vector<Problem>& problems_;
  std::vector<const WrittenSpec*> specs_;
  std::map<std::string, const WrittenSpec*> by_id_;  // of two, the first
  std::map<std::string, TextPosition> disabled_;
  std::map<const WrittenSpec*, std::vector<const WrittenOverride*>> overrides_;
  std::vector<PlacedSpec> placed_;
  std::map<std::string, Origin, std::less<>> origins_;
};

std::vector<const SpecSource*> Pointers(const std::vector<SpecSource>& sources) {
  std::vector<const SpecSource*> pointers;
  for (const SpecSource& source : sources) pointers.push_back(&source);
  return pointers;
}

}  // namespace

SpecLibrary::Result SpecLibrary::Parse(const std::vector<SpecSource>& sources) {
  return Parse(SpecLayers{.shipped = sources, .site = {}});
}

SpecLibrary::Result SpecLibrary::Parse(const SpecLayers& layers) {
  Result result;
  // The site's first: of the shipped specs only those that it overrides are kept as written.
  const ReadLayer site = ReadLayerOf(
      Layer::kSite, Pointers(layers.site), kMaxSpecs, [](const std::string&) { return true; },
      result.problems);
  std::set<std::string> overridden;
  for (const WrittenOverride& change : site.overrides) overridden.insert(change.message.spec());
  const ReadLayer shipped = ReadLayerOf(
      Layer::kShipped, Pointers(layers.shipped), kMaxSpecs - site.specs.size(),
      [&](const std::string& id) { return overridden.contains(id); }, result.problems);
  Layering layering(shipped, site, result.problems);
  layering.Run();
  std::vector<PlacedSpec> specs = layering.TakeSpecs();
  if (specs.empty() && result.problems.empty() && !layers.shipped.empty()) {
    Report(layers.shipped.front().file, result.problems)(
        {1, 1}, site.disables.empty() ? "the library holds no spec"
                                      : "the site disables every spec of the library");
  }
  SortWithoutRepeats(result.problems);
  if (std::ranges::any_of(result.problems, IsError)) return result;
  result.library.origins_ = layering.TakeOrigins();
  result.library.disabled_ = layering.Disabled();
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

const Origin& SpecLibrary::OriginOf(absl::string_view id) const {
  static const auto* const kUnknown = new Origin();  // of specs that no file was read for
  const auto found = origins_.find(id);
  return found == origins_.end() ? *kUnknown : found->second;
}

}  // namespace kvmsentry
