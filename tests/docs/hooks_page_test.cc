// That docs/hooks.md says what the code says.
#include "tests/docs/hooks_page.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(HooksPageTest, IsNotStale) {
  std::ifstream file(KVMSENTRY_DOCS "/hooks.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, HooksPage()) << "run build/release/tests/docs/write_docs docs";
}

}  // namespace
}  // namespace kvmsentry
