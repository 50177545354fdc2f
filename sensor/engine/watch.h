// One spec on one VM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "sensor/engine/deviation.h"
#include "sensor/engine/member_watch.h"
#include "sensor/engine/norm_limits.h"
#include "sensor/engine/rate_watch.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// A spec with what is computed of it once, for all VMs.
struct EngineSpec {
  const Spec* spec = nullptr;
  NormLimits limits;
};

struct RateState {
  explicit RateState(const NormLimits& limits) : watch(limits) {}
  Judgement latest;
  Judgement worst;                 // since it opened
  Judgement peak;                  // the worst that has not been told; kUnknown: none
  std::optional<uint64_t> detail;  // what the latest occurrence named
  RateWatch watch;
};

struct Watch {
  explicit Watch(const EngineSpec& of_spec)
      : of(&of_spec), state(std::in_place_type<RateState>, of_spec.limits) {
    if (std::holds_alternative<SetNorm>(of_spec.spec->norm)) state.emplace<MemberWatch>();
  }

  const Spec& spec() const { return *of->spec; }

  const EngineSpec* of;
  Deviation deviation;
  std::string key;  // of the alert since it was told open: a VM's name may change meanwhile
  std::variant<RateState, MemberWatch> state;
};

}  // namespace kvmsentry
