// Every file of scenarios/ is a test. Its suite says where it runs, Anywhere, Lab or Intel; whether
// it boots Linux guests, LabLinux; and whether it is in the lab's short selection, AnywhereCi,
// LabCi or LabLinuxCi.
#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/scenario/parse.h"
#include "tests/scenario/stage.h"
#include "tests/support/filter.h"

namespace kvmsentry::scenario {
namespace {

std::string Suite(const absl::StatusOr<Scenario>& scenario) {
  // One that cannot be read fails everywhere.
  if (!scenario.ok()) return "AnywhereCi";
  const char* place = scenario->runs() == LAB     ? "Lab"
                      : scenario->runs() == INTEL ? "Intel"
                                                  : "Anywhere";
  const bool linux = std::ranges::find(scenario->needs(), DEBIAN_GUEST) != scenario->needs().end();
  return absl::StrCat(place, linux ? "Linux" : "", scenario->ci() ? "Ci" : "");
}

void Register(const std::vector<Named>& all) {
  for (const Named& named : all) {
    testing::RegisterTest(Suite(named.scenario).c_str(), named.name.c_str(), nullptr, nullptr,
                          __FILE__, __LINE__,
                          [scenario = named.scenario]() -> Stage* { return new Stage(scenario); });
  }
}

}  // namespace
}  // namespace kvmsentry::scenario

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const auto all = kvmsentry::scenario::ReadFolder(KVMSENTRY_SCENARIOS);
  if (!all.ok()) {
    std::cerr << "scenario_test: " << all.status() << "\n";
    return 2;
  }
  kvmsentry::scenario::Register(*all);
  return kvmsentry::EachPatternMatches() ? RUN_ALL_TESTS() : 1;
}
