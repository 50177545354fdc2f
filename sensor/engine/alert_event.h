// What the engine says: one step in an alert's life. The outer layers add position, host and wall
// time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"

namespace kvmsentry {

enum class AlertState : uint8_t { kNone = 0, kOpen, kUpdated, kCleared };

struct AlertEvent {
  std::string key;  // stable: of the spec, the VM's name and uuid, and the part; no time
  AlertState state = AlertState::kNone;
  Severity severity = Severity::kNone;
  Point point = Point::kNone;  // kNone for a score band, and of the sensor itself
  std::string spec_id;         // "score-band" for a score band, "self-..." of the sensor itself
  std::string feature;         // empty for these
  VmFacts vm;                  // of no VM (serial 0): of the sensor itself
  std::string part;            // "vcpu-3"; empty: the VM itself
  KernelTime at;
  KernelTime opened_at;
  double value = 0;
  double limit = 0;
  std::string unit;
  std::string value_text;
  std::string norm_text;
  int64_t window_ns = 0;
  uint64_t occurrences = 0;
  uint64_t count = 0;  // observations of the deviation since it opened
  int64_t score_millipoints = 0;
  int64_t contribution_millipoints = 0;
  std::string summary;
  std::string why;
  std::string look_at;
  std::map<std::string, std::string> evidence;
  bool observation_lost = false;
  bool observe_only = false;           // of a spec that is only tried out: counts for nothing
  std::vector<std::string> tags = {};  // of the spec, as what follows
  std::vector<std::string> mitre = {};
};

}  // namespace kvmsentry
