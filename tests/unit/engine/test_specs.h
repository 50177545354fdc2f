// Specs and a small driver that the engine's tests share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/engine/engine.h"

namespace kvmsentry {

Spec MaxSpec(std::string id, FeatureId feature, double max, int64_t window_ns);
Spec MinSpec(std::string id, FeatureId feature, double min, int64_t window_ns);
Spec BurstSpec(std::string id, FeatureId feature, uint64_t count, int64_t window_ns);
Spec DenySpec(std::string id, FeatureId feature, std::vector<Interval> members, int64_t window_ns);
Spec AllowSpec(std::string id, FeatureId feature, std::vector<Interval> members, int64_t window_ns);
Spec VarietySpec(std::string id, FeatureId feature, uint32_t most, int64_t window_ns);

VmFacts Vm(uint64_t serial, std::string name);
Observation Seen(ObservationKind kind, VmId vm, FeatureId feature, uint64_t value, int64_t at_ms);

// "OPEN pio-storm"
std::string Brief(const AlertEvent& event);
std::vector<std::string> Brief(const std::vector<AlertEvent>& events);
// Every field, in one line.
std::string Whole(const AlertEvent& event);

// An engine with one VM, "web-1", serial 1, that a test leads through time in milliseconds.
class OneVm {
 public:
  // Without bands, unless OPTIONS are given, so that tests of specs see only specs.
  explicit OneVm(std::vector<Spec> specs);
  OneVm(std::vector<Spec> specs, EngineOptions options);

  // Every tick_ms until UNTIL_MS the feature's count grows by STEP, is observed, and the engine
  // ticks. Returns all that it said.
  std::vector<AlertEvent> Flow(FeatureId feature, uint64_t step, int64_t until_ms,
                               int64_t tick_ms = 100);
  void Count(FeatureId feature, uint64_t value, int64_t at_ms, bool lossy = false);
  void Member(FeatureId feature, uint64_t member, int64_t at_ms);
  void Crossed(FeatureId feature, uint64_t value, int64_t window_ns, int64_t at_ms);
  // The engine's Tick at AT_MS.
  std::vector<AlertEvent> Tick(int64_t at_ms);

  int64_t now_ms() const { return now_ms_; }
  uint64_t count() const { return count_; }
  void set_count(uint64_t count) { count_ = count; }
  Engine& engine() { return engine_; }

 private:
  Engine engine_;
  int64_t now_ms_ = 0;
  uint64_t count_ = 1'000'000;  // it has lived before
  uint64_t serial_ = 0;
};

}  // namespace kvmsentry
