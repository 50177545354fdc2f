// docs/kernels.md is written by tests/lab/kernels, which boots kernels. That it has not been run
// since a hook came or went is known without.
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"

#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

std::set<std::string> HooksIn(const std::string& path) {
  std::set<std::string> hooks;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "| `")) continue;
    hooks.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return hooks;
}

TEST(KernelsDocumentTest, HasEveryHookAndNoOther) {
  std::set<std::string> hooks;
  for (const Hook& hook : Hooks()) hooks.emplace(hook.name);
  EXPECT_THAT(HooksIn(KVMSENTRY_KERNELS), ::testing::ContainerEq(hooks)) << "run tests/lab/kernels";
}

}  // namespace
}  // namespace kvmsentry
