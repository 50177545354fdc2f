// One spec on one VM, or on one part of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "sensor/engine/deviation.h"
#include "sensor/engine/level_watch.h"
#include "sensor/engine/member_watch.h"
#include "sensor/engine/norm_limits.h"
#include "sensor/engine/rate_watch.h"
#include "sensor/engine/state_watch.h"
#include "sensor/engine/variety_watch.h"
#include "sensor/feature/member.h"
#include "sensor/spec/library.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// A spec with what is computed of it once, for all VMs with VCPUS vCPUs where its norm is per vCPU.
struct EngineSpec {
  EngineSpec(std::shared_ptr<const SpecLibrary> of, const Spec& one, uint32_t vcpus)
      : library(std::move(of)), spec(&one), limits(LimitsOf(one, vcpus)) {}

  std::shared_ptr<const SpecLibrary> library;  // keeps the spec
  const Spec* spec;
  NormLimits limits;
};

// What was judged of a rate or a level.
struct Judged {
  void Add(const Judgement& judgement, bool begins) {
    latest = judgement;
    if (judgement.verdict != Verdict::kDeviates) return;
    if (begins) worst = peak = {};
    if (judgement.excess > worst.excess) worst = judgement;
    if (judgement.excess > peak.excess) peak = judgement;
  }

  Judgement latest;
  Judgement worst;  // since it opened
  Judgement peak;   // the worst that has not been told; kUnknown: none
};

// The deviation that a watch has found, if any.
struct Finding {
  Deviation deviation;
  Judged judged;
  std::optional<uint64_t> left_with;  // what the latest occurrence named, once no longer watched
  std::optional<Member> too_many;     // the latest member while there were too many
  std::string key;  // of the alert since it was told open: a VM's name may change meanwhile
};

struct LevelState {
  uint64_t given = 0;  // of the latest level
};

// There is one for each spec on each VM, nearly all of which never find anything.
struct Watch {
  explicit Watch(std::shared_ptr<const EngineSpec> of_spec);

  const Spec& spec() const { return *of->spec; }

  bool open() const { return finding != nullptr && finding->deviation.open(); }
  bool pending() const { return finding != nullptr && finding->deviation.pending(); }

  std::shared_ptr<const EngineSpec> of;
  std::unique_ptr<Finding> finding;  // made at the first deviation; nullptr: there was none
  std::variant<RateWatch, MemberWatch, VarietyWatch, LevelState, StateWatch> state;
};

}  // namespace kvmsentry
