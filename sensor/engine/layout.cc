#include "sensor/engine/layout.h"

#include <algorithm>
#include <utility>

#include "sensor/source/catalogue.h"

namespace kvmsentry {

Layout::Layout(std::vector<std::shared_ptr<const EngineSpec>> specs)
    : specs_(std::move(specs)), groups_(Catalogue().size()), rate_of_(Catalogue().size()) {
  for (uint32_t i = 0; i < specs_.size(); ++i) {
    const Spec& spec = *specs_[i]->spec;
    Group& group = groups_[static_cast<size_t>(spec.feature)];
    if (group.count == 0) group.first = i;
    group.feature = spec.feature;
    group.kind = FeatureOf(spec.feature).kind;
    group.minimum = group.minimum || specs_[i]->limits.least.has_value();
    ++group.count;
  }
  for (const Group& group : groups_) {
    if (group.count == 0 || group.kind != FeatureKind::kRate) continue;
    rate_of_[static_cast<size_t>(group.feature)] = static_cast<uint32_t>(rates_.size());
    rates_.push_back(group);
  }
}

std::shared_ptr<const Layout> Layouts::For(const VmFacts& facts, PartId part,
                                           absl::string_view name) {
  std::vector<std::shared_ptr<const EngineSpec>> chosen;
  for (const Spec& spec : library_->specs()) {
    // A norm per vCPU says nothing of a VM whose vCPUs nobody has counted.
    if (spec.per_vcpu && facts.vcpus == 0) continue;
    if (FeatureOf(spec.feature).part != part.kind || !spec.Selects(facts, name)) continue;
    const uint32_t vcpus = spec.per_vcpu ? facts.vcpus : 1;
    auto& known = specs_[{&spec, vcpus}];
    if (!known) known = std::make_shared<EngineSpec>(library_, spec, vcpus);
    chosen.push_back(known);
  }
  std::ranges::stable_sort(chosen, {}, [](const auto& s) { return s->spec->feature; });
  std::vector<const EngineSpec*> key;
  for (const auto& spec : chosen) key.push_back(spec.get());
  auto& shared = layouts_[std::move(key)];
  auto layout = shared.lock();
  if (!layout) shared = layout = std::make_shared<Layout>(std::move(chosen));
  return layout;
}

}  // namespace kvmsentry
