// The files of one layer, read and each spec checked for itself.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/spec/check.h"
#include "sensor/spec/layers.h"
#include "sensor/spec/library.h"
#include "sensor/spec/places.h"

namespace kvmsentry {

// What was written: by this a site's override can change it.
struct WrittenSpec {
  PlacedSpec placed;
  bool sound = false;  // nothing of it was reported
  v1::Spec message;
  Places places;
};

struct WrittenOverride {
  v1::Override message;
  Places places;
  TextPosition at;  // where it names its spec
};

struct WrittenDisable {
  std::string id;
  TextPosition at;
};

struct ReadLayer {
  std::vector<WrittenSpec> specs;
  std::vector<WrittenOverride> overrides;
  std::vector<WrittenDisable> disables;
  std::vector<std::unique_ptr<const ParsedBlock>> blocks;  // the places' own
};

inline constexpr size_t kMaxSpecs = 10'000;

// Reads SOURCES, which outlive what is returned, in the order of their names. Of a spec for which
// KEEP is false only what was checked is kept. MOST specs, and as many changes, are read.
ReadLayer ReadLayerOf(Layer layer, std::vector<const SpecSource*> sources, size_t most,
                      const std::function<bool(const std::string& id)>& keep,
                      std::vector<Problem>& problems);

}  // namespace kvmsentry
