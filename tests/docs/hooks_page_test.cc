// That docs/hooks.md says what the code says.
#include "tests/docs/hooks_page.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

TEST(HooksPageTest, IsNotStale) {
  std::ifstream file(KVMSENTRY_DOCS "/hooks.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, HooksPage()) << "run build/release/tests/docs/write_docs docs";
}

TEST(HooksPageTest, HasARowForEachHook) {
  const std::string page = HooksPage();
  for (const Hook& hook : Hooks()) {
    const std::string row = "| `" + std::string(hook.name) + "`";
    EXPECT_NE(page.find(row), std::string::npos) << hook.name;
  }
}

}  // namespace
}  // namespace kvmsentry
