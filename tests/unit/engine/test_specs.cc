#include "tests/unit/engine/test_specs.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

Spec Base(std::string id, FeatureId feature, int64_t window_ns) {
  Spec spec;
  spec.point = Point::kK2;
  spec.feature = feature;
  spec.window_ns = window_ns;
  spec.weight = 10;
  spec.severity = Severity::kWarning;
  spec.why = "why " + id;
  spec.look_at = "look at " + id;
  spec.norm_text = "of " + id;
  spec.id = std::move(id);
  return spec;
}

Spec SetSpec(std::string id, FeatureId feature, bool allow, std::vector<Interval> members,
             int64_t window_ns) {
  Spec spec = Base(std::move(id), feature, window_ns);
  spec.norm = SetNorm{.allow = allow, .members = std::move(members)};
  return spec;
}

EngineOptions NoBands() {
  EngineOptions options;
  options.notice_at = options.warning_at = options.critical_at = 0;
  return options;
}

std::shared_ptr<const SpecLibrary> Library(std::vector<Spec> specs) {
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs(std::move(specs)));
}

absl::string_view StateName(AlertState state) {
  switch (state) {
    case AlertState::kNone:
      return "NONE";
    case AlertState::kOpen:
      return "OPEN";
    case AlertState::kUpdated:
      return "UPDATED";
    case AlertState::kCleared:
      return "CLEARED";
  }
  return "?";
}

}  // namespace

Spec MaxSpec(std::string id, FeatureId feature, double max, int64_t window_ns) {
  Spec spec = Base(std::move(id), feature, window_ns);
  RangeNorm norm;
  norm.max = max;
  norm.clear_max = max * 0.8;
  spec.norm = norm;
  return spec;
}

Spec MinSpec(std::string id, FeatureId feature, double min, int64_t window_ns) {
  Spec spec = Base(std::move(id), feature, window_ns);
  RangeNorm norm;
  norm.min = min;
  norm.clear_min = min * 1.25;
  spec.norm = norm;
  return spec;
}

Spec BurstSpec(std::string id, FeatureId feature, uint64_t count, int64_t window_ns) {
  Spec spec = Base(std::move(id), feature, kNsPerSecond);
  spec.norm = BurstNorm{.count = count, .window_ns = window_ns};
  return spec;
}

Spec DenySpec(std::string id, FeatureId feature, std::vector<Interval> members, int64_t window_ns) {
  return SetSpec(std::move(id), feature, false, std::move(members), window_ns);
}

Spec AllowSpec(std::string id, FeatureId feature, std::vector<Interval> members,
               int64_t window_ns) {
  return SetSpec(std::move(id), feature, true, std::move(members), window_ns);
}

Spec VarietySpec(std::string id, FeatureId feature, uint32_t most, int64_t window_ns) {
  Spec spec = Base(std::move(id), feature, window_ns);
  spec.norm = VarietyNorm{most};
  return spec;
}

VmFacts Vm(uint64_t serial, std::string name) {
  VmFacts facts;
  facts.id = {serial};
  facts.given_name = name;
  facts.name = std::move(name);
  facts.vmm = "qemu";
  facts.cgroup = "/";
  return facts;
}

Observation Seen(ObservationKind kind, VmId vm, FeatureId feature, uint64_t value, int64_t at_ms) {
  Observation o;
  o.time = {at_ms * kNsPerMs};
  o.vm = vm;
  o.kind = kind;
  o.feature = feature;
  o.value = value;
  return o;
}

std::string Brief(const AlertEvent& event) {
  return absl::StrCat(StateName(event.state), " ", event.spec_id);
}

std::vector<std::string> Brief(const std::vector<AlertEvent>& events) {
  std::vector<std::string> all;
  for (const AlertEvent& event : events) all.push_back(Brief(event));
  return all;
}

std::string Whole(const AlertEvent& e) {
  std::string text = absl::StrCat(
      e.at.ns, " ", StateName(e.state), " ", SeverityName(e.severity), " ", PointName(e.point),
      " key=", e.key, " feature=", e.feature, " vm=", e.vm.id.serial, "/", e.vm.name,
      " opened=", e.opened_at.ns, " value=", e.value, " limit=", e.limit);
  absl::StrAppend(&text, " ", e.unit, " (", e.value_text, "; ", e.norm_text,
                  ") window=", e.window_ns, " occurrences=", e.occurrences, " count=", e.count,
                  " score=", e.score_millipoints, " part=", e.contribution_millipoints,
                  e.observation_lost ? " LOST" : "", " | ", e.summary);
  for (const auto& [name, value] : e.evidence) absl::StrAppend(&text, " {", name, "=", value, "}");
  return text;
}

OneVm::OneVm(std::vector<Spec> specs) : OneVm(std::move(specs), NoBands()) {}

OneVm::OneVm(std::vector<Spec> specs, EngineOptions options)
    : engine_(Library(std::move(specs)), options) {
  engine_.UpsertVm(Vm(1, "web-1"), {0});
}

std::vector<AlertEvent> OneVm::Flow(FeatureId feature, uint64_t step, int64_t until_ms,
                                    int64_t tick_ms) {
  std::vector<AlertEvent> all;
  while (now_ms_ + tick_ms <= until_ms) {
    count_ += step;
    Count(feature, count_, now_ms_ + tick_ms);
    for (AlertEvent& event : Tick(now_ms_ + tick_ms)) all.push_back(std::move(event));
  }
  return all;
}

void OneVm::Count(FeatureId feature, uint64_t value, int64_t at_ms, bool lossy) {
  Observation o = Seen(ObservationKind::kCount, {1}, feature, value, at_ms);
  o.serial = ++serial_;
  o.lossy = lossy;
  engine_.Observe(o);
}

void OneVm::Member(FeatureId feature, uint64_t member, int64_t at_ms) {
  Observation o = Seen(ObservationKind::kMember, {1}, feature, member, at_ms);
  o.serial = ++serial_;
  engine_.Observe(o);
}

void OneVm::Crossed(FeatureId feature, uint64_t value, int64_t window_ns, int64_t at_ms) {
  Observation o = Seen(ObservationKind::kCrossed, {1}, feature, value, at_ms);
  o.serial = ++serial_;
  o.window_ns = window_ns;
  engine_.Observe(o);
}

std::vector<AlertEvent> OneVm::Tick(int64_t at_ms) {
  now_ms_ = at_ms;
  return engine_.Tick({at_ms * kNsPerMs});
}

}  // namespace kvmsentry
