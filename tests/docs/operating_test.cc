// docs/operating.md is written by hand: what of it can be compared with the code is.
#include <map>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "sensor/source/registry.h"
#include "sensor/spec/library.h"
#include "tests/docs/pages.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

std::string Operating() { return ContentOf(std::string(KVMSENTRY_ROOT) + "/docs/operating.md"); }

// The line of the example of `kvmsentry status` that begins with NAME.
std::string StatusLine(const std::string& name) {
  std::istringstream text(Operating());
  for (std::string line; std::getline(text, line);) {
    if (absl::StartsWith(line, name + " ")) return line;
  }
  return "";
}

TEST(OperatingTest, TheExampleOfAStatusHasAsManyHooksAndSpecsAsThereAre) {
  ASSERT_OK_AND_ASSIGN(const SpecLibrary library,
                       SpecLibrary::Load(std::string(KVMSENTRY_ROOT) + "/specs"));
  int hooks = 0;
  for ([[maybe_unused]] const Hook& hook : Hooks()) ++hooks;
  const std::string works = StatusLine("works");
  EXPECT_THAT(works, HasSubstr(absl::StrCat(" of ", hooks, " hooks")));
  EXPECT_THAT(works, HasSubstr(absl::StrCat(" of ", library.specs().size(), " specs")));
  EXPECT_THAT(StatusLine("library"),
              HasSubstr(absl::StrCat(" ", library.specs().size(), " shipped")));
  std::map<absl::string_view, int> specs;
  for (const Spec& spec : library.specs()) ++specs[PointName(spec.point)];
  const std::string in_part = StatusLine("in part");
  for (const char* point : {"K4", "K5", "R2", "R5"}) {
    EXPECT_THAT(in_part, ContainsRegex(absl::StrCat(point, " [0-9]+/", specs[point], "[, ]")));
  }
}

TEST(OperatingTest, ItsContentsNameEverySection) {
  const std::string all = Operating();
  const std::string contents = all.substr(0, all.find("\n## "));
  std::istringstream text(all);
  for (std::string line; std::getline(text, line);) {
    if (!absl::StartsWith(line, "## ")) continue;
    const std::string title = line.substr(3);
    const std::string anchor = absl::StrReplaceAll(absl::AsciiStrToLower(title), {{" ", "-"}});
    EXPECT_THAT(contents, HasSubstr(absl::StrCat("[", title, "](#", anchor, ")")));
  }
}

}  // namespace
}  // namespace kvmsentry
