#include "sensor/daemon/coverage_board.h"

#include <algorithm>
#include <utility>

#include "sensor/rpc/spec_view.h"

namespace kvmsentry {
namespace {

std::vector<Coverage> Heard(std::span<const HookCoverage> hooks, const SilenceWatch& silence) {
  std::vector<Coverage> heard;
  for (const HookCoverage& hook : hooks) heard.push_back(silence.Of(hook.hook->name));
  return heard;
}

SpecView CoveredView(const SpecLibrary& library, const Spec& spec,
                     std::span<const HookCoverage> hooks) {
  FeatureCoverage coverage = CoverageOf(spec, hooks);
  SpecView view = ViewOf(library, spec);
  view.coverage = coverage.coverage;
  view.reason = std::move(coverage.reason);
  return view;
}

}  // namespace

CoverageBoard::CoverageBoard(std::shared_ptr<const SpecLibrary> library)
    : library_(std::move(library)), view_(std::make_shared<const View>()) {}

void CoverageBoard::Take(std::vector<HookCoverage> attached, bool more) {
  attached_ = std::move(attached);
  active_ = ObservableFeatures(attached_);
  begin_ |= more;
  Rebuild();
}

void CoverageBoard::SetLibrary(std::shared_ptr<const SpecLibrary> library) {
  library_ = std::move(library);
  Rebuild();
}

void CoverageBoard::Observe(std::span<const KvmCounts> counts, std::vector<FileSight> sights) {
  if (std::exchange(begin_, false)) silence_.Begin(counts);
  silence_.Observe(counts);
  const bool seen_alike = sights == sights_;
  sights_ = std::move(sights);
  if (!seen_alike || Heard(attached_, silence_) != heard_) Rebuild();
}

bool CoverageBoard::Has(absl::string_view hook) const {
  return std::ranges::any_of(attached_, [hook](const HookCoverage& candidate) {
    return candidate.hook->name == hook && Works(candidate.coverage);
  });
}

void CoverageBoard::Rebuild() {
  heard_ = Heard(attached_, silence_);
  auto view = std::make_shared<View>();
  view->hooks = ApplySights(ApplySilence(attached_, silence_), sights_);
  view->told = ObservableFeatures(view->hooks);
  for (const Spec& spec : library_->specs())
    view->specs.push_back(CoveredView(*library_, spec, view->hooks));
  view_ = std::move(view);
}

}  // namespace kvmsentry
