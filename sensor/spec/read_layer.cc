#include "sensor/spec/read_layer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/spec/parse.h"

namespace kvmsentry {
namespace {

constexpr char kOfTheSite[] =
    " belongs in the site's folder: kvmsentryd --site-specs DIR, and to check it: kvmsentry spec "
    "lint --site-specs DIR";

class LayerReader {
 public:
  LayerReader(Layer layer, size_t most, const std::function<bool(const std::string&)>& keep,
              std::vector<Problem>& problems)
      : layer_(layer), most_(most), keep_(keep), problems_(problems) {}

  // False where there is more than a library may hold.
  bool Read(const SpecSource& source) {
    const Report report(source.file, problems_);
    if (source.text.size() > kMaxSpecFileBytes) {
      report({1, 1}, "the file is larger than 1 MiB; split it into several files");
      return true;
    }
    ParseBlocks(source.text, report, [&](ParsedBlock parsed) {
      if (full_) return;
      auto block = std::make_unique<const ParsedBlock>(std::move(parsed));
      if (ReadBlock(*block, source, report)) read_.blocks.push_back(std::move(block));
    });
    return !full_;
  }

  ReadLayer Take() { return std::move(read_); }

 private:
  // Whether something of BLOCK is kept that refers to it.
  bool ReadBlock(const ParsedBlock& block, const SpecSource& source, const Report& report) {
    const Places places(block);
    bool kept = false;
    for (int i = 0; i < block.message.spec_size(); ++i) {
      const Places here = places.Into("spec", i);
      if (IsFull(read_.specs.size(), "specs", here.self(), report)) return kept;
      kept |= ReadSpec(block.message.spec(i), here, source, report);
    }
    const std::vector<TextPosition> disables = places.ValuesOf("disable");
    for (int i = 0; i < block.message.disable_size(); ++i) {
      const TextPosition at = disables[static_cast<size_t>(i)];
      if (!IsChange("disable", at, report)) return kept;
      read_.disables.push_back({block.message.disable(i), at});
    }
    for (int i = 0; i < block.message.override_size(); ++i) {
      const Places here = places.Into("override", i);
      if (!IsChange("override", here.self(), report)) return kept;
      if (!here.Has("spec")) {
        if (!here.LeftOut({"spec"})) {
          report(here.self(), "spec is missing: name the id of the spec that is overridden");
        }
        continue;
      }
      read_.overrides.push_back({block.message.override(i), here, here.Of("spec")});
      kept = true;
    }
    return kept;
  }

  bool ReadSpec(const v1::Spec& message, const Places& places, const SpecSource& source,
                const Report& report) {
    const size_t before = problems_.size();
    PlacedSpec placed = {CheckSpec(message, places, report), source.file, places.self(),
                         places.Of("id"), layer_};
    const bool sound =
        std::all_of(problems_.begin() + static_cast<std::ptrdiff_t>(before), problems_.end(),
                    [](const Problem& problem) { return problem.is_warning; });
    const bool keep = keep_(placed.spec.id);
    read_.specs.push_back({std::move(placed), sound, keep ? message : v1::Spec(), places});
    return keep;
  }

  bool IsChange(absl::string_view what, TextPosition at, const Report& report) {
    if (layer_ != Layer::kSite) {
      report(at, absl::StrCat(what, kOfTheSite));
      return false;
    }
    return !IsFull(read_.disables.size() + read_.overrides.size(), "changes", at, report);
  }

  bool IsFull(size_t count, absl::string_view things, TextPosition at, const Report& report) {
    if (full_ || count < most_) return full_;
    report(at, absl::StrCat("more than ", kMaxSpecs, " ", things,
                            " in the library; from here on they "
                            "are not checked"));
    full_ = true;
    return true;
  }

  const Layer layer_;
  const size_t most_;
  const std::function<bool(const std::string&)>& keep_;
  std::vector<Problem>& problems_;
  ReadLayer read_;
  bool full_ = false;
};

}  // namespace

ReadLayer ReadLayerOf(Layer layer, std::vector<const SpecSource*> sources, size_t most,
                      const std::function<bool(const std::string& id)>& keep,
                      std::vector<Problem>& problems) {
  std::ranges::sort(sources, {}, [](const SpecSource* source) { return source->file; });
  LayerReader reader(layer, most, keep, problems);
  for (const SpecSource* source : sources) {
    if (!reader.Read(*source)) break;
  }
  return reader.Take();
}

}  // namespace kvmsentry
