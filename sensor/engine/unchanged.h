// The logs of all sources that say when counts are as they were.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "sensor/engine/unchanged_log.h"
#include "sensor/feature/feature.h"

namespace kvmsentry {

class UnchangedLogs {
 public:
  struct OfSource {
    std::vector<bool> features;  // by FeatureId: those the log is about
    UnchangedLog log;
  };

  // Nullptr where nobody says so of the feature.
  const UnchangedLog* Of(FeatureId feature) const {
    const auto at = static_cast<size_t>(feature);
    return at < of_feature_.size() ? of_feature_[at] : nullptr;
  }
  const OfSource& Of(SourceId source) const { return sources_.at(source); }
  const std::map<SourceId, OfSource>& sources() const { return sources_; }

  OfSource& Source(SourceId source) { return sources_[source]; }
  // The log of SOURCE is about FEATURES, by FeatureId, from now on.
  void SetFeatures(SourceId source, std::vector<bool> features) {
    OfSource& of = sources_[source];
    of_feature_.resize(std::max(of_feature_.size(), features.size()));
    for (const UnchangedLog*& log : of_feature_) {
      if (log == &of.log) log = nullptr;
    }
    for (size_t i = 0; i < features.size(); ++i) {
      if (features[i]) of_feature_[i] = &of.log;
    }
    of.features = std::move(features);
  }

 private:
  std::map<SourceId, OfSource> sources_;
  std::vector<const UnchangedLog*> of_feature_;
};

}  // namespace kvmsentry
