#include "tests/scenario/proofs.h"

#include <algorithm>

#include "sensor/base/glob.h"

namespace kvmsentry::scenario {
namespace {

bool Fits(const AlertPattern& pattern, const std::string& spec) {
  const auto excluded = [&](const std::string& but) { return GlobMatch(but, spec); };
  return GlobMatch(pattern.spec(), spec) && std::ranges::none_of(pattern.but(), excluded);
}

bool MustCome(const Scenario& scenario, const std::string& spec) {
  const auto fits = [&](const AlertPattern& pattern) { return pattern.spec() == spec; };
  return std::ranges::any_of(scenario.expect().alert(), fits) ||
         std::ranges::any_of(scenario.step(), [&](const Step& step) {
           return step.has_wait_alert() && fits(step.wait_alert());
         });
}

// Beside a VM that is reported, or by the spec's own name: else every quiet scenario would do.
bool MustNotCome(const Scenario& scenario, const std::string& spec) {
  return std::ranges::any_of(scenario.expect().no_alert(), [&](const AlertPattern& pattern) {
    return pattern.spec() == spec || (Fits(pattern, spec) && MustCome(scenario, spec));
  });
}

}  // namespace

std::map<std::string, SpecProof> ProofsOf(std::span<const Named> scenarios,
                                          std::span<const std::string> specs) {
  std::map<std::string, SpecProof> proofs;
  for (const std::string& spec : specs) {
    SpecProof& proof = proofs[spec];
    for (const Named& named : scenarios) {
      if (!named.scenario.ok() || named.scenario->spec_size() != 0) continue;
      if (MustCome(*named.scenario, spec)) proof.reported_in.push_back(named.name);
      if (MustNotCome(*named.scenario, spec)) proof.silent_in.push_back(named.name);
    }
  }
  return proofs;
}

}  // namespace kvmsentry::scenario
