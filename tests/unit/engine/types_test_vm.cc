#include "tests/unit/engine/types_test_vm.h"

#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {

std::shared_ptr<const SpecLibrary> LibraryOf(const std::vector<std::string>& specs) {
  std::string text;
  for (const std::string& spec : specs) {
    absl::StrAppend(&text,
                    "spec { point: R1 weight: 10 severity: WARNING why: \"w\" look_at: \"l\" ",
                    spec, " }\n");
  }
  auto result = SpecLibrary::Parse({{"specs", text}});
  for (const Problem& problem : result.problems) ADD_FAILURE() << ToString(problem);
  return std::make_shared<SpecLibrary>(std::move(result.library));
}

EngineOptions TypesVm::Quiet() {
  EngineOptions options;
  options.notice_at = options.warning_at = options.critical_at = 0;
  return options;
}

TypesVm::TypesVm(const std::vector<std::string>& specs, EngineOptions options)
    : engine_(LibraryOf(specs), options) {
  VmFacts facts = Vm(1, "web-1");
  facts.vcpus = 4;
  engine_.UpsertVm(facts, {0});
}

void TypesVm::Observe(ObservationKind kind, const std::string& feature, uint64_t value,
                      int64_t at_ms, PartId part) {
  Observation o = Seen(kind, {1}, FeatureNamed(feature), value, at_ms);
  o.serial = ++serial_;
  o.part = part;
  engine_.Observe(o);
}

void TypesVm::Sampled(const std::string& feature, uint64_t value, int64_t at_ms, PartId part,
                      uint64_t given) {
  const Gauge gauge = {{1}, part, FeatureNamed(feature), value, given};
  engine_.Observe(Sample{.time = {at_ms * kNsPerMs}, .gauges = {&gauge, 1}});
}

std::vector<std::string> TypesVm::Tick(int64_t at_ms) {
  events_ = engine_.Tick({at_ms * kNsPerMs});
  std::vector<std::string> all;
  for (const AlertEvent& event : events_) {
    all.push_back(absl::StrCat(Brief(event), event.part.empty() ? "" : " ", event.part));
  }
  return all;
}

}  // namespace kvmsentry
