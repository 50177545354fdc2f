// A driver for tests of levels, states, parts and wide members: specs in the spec language, an
// engine with one VM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/engine/engine.h"

namespace kvmsentry {

// The library of these specs: each is what stands in a spec beside its texts, point and weight.
// They must have no problem.
std::shared_ptr<const SpecLibrary> LibraryOf(const std::vector<std::string>& specs);

class TypesVm {
 public:
  explicit TypesVm(const std::vector<std::string>& specs, EngineOptions options = Quiet());
  static EngineOptions Quiet();  // no bands

  void Observe(ObservationKind kind, const std::string& feature, uint64_t value, int64_t at_ms,
               PartId part = {});
  // A level or a state.
  void Sampled(const std::string& feature, uint64_t value, int64_t at_ms, PartId part = {},
               uint64_t given = 0);
  void Level(const std::string& feature, uint64_t value, int64_t at_ms, uint64_t given = 0) {
    Sampled(feature, value, at_ms, {}, given);
  }
  void State(uint64_t state, int64_t at_ms) { Sampled("test.state", state, at_ms); }
  // "OPEN id", "OPEN id vcpu-3"
  std::vector<std::string> Tick(int64_t at_ms);
  const std::vector<AlertEvent>& events() const { return events_; }  // of the last Tick
  Engine& engine() { return engine_; }

 private:
  Engine engine_;
  std::vector<AlertEvent> events_;
  uint64_t serial_ = 0;
};

}  // namespace kvmsentry
