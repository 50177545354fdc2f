#include "tests/support/filter.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fnmatch.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kvmsentry {

bool EachPatternMatches() {
  std::vector<std::string> names;
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      names.push_back(absl::StrCat(suite.name(), ".", suite.GetTestInfo(k)->name()));
    }
  }
  const std::string filter = GTEST_FLAG_GET(filter);
  const std::string positive = filter.substr(0, filter.find('-'));
  const std::vector<std::string> patterns = absl::StrSplit(positive, ':', absl::SkipEmpty());
  bool each = true;
  for (const std::string& pattern : patterns) {
    const auto matches = [&pattern](const std::string& name) {
      return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    };
    if (std::ranges::any_of(names, matches)) continue;
    std::fprintf(stderr, "--gtest_filter: no test matches %s\n", pattern.c_str());
    each = false;
  }
  return each;
}

}  // namespace kvmsentry
