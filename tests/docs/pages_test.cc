// That the documents say what the code, the specs and the scenarios say.
#include "tests/docs/pages.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/spec/library.h"
#include "tests/docs/attacks_page.h"
#include "tests/scenario/proofs.h"
#include "tests/support/assert_ok.h"

namespace kvmsentry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kRoot[] = KVMSENTRY_ROOT;

TEST(PagesTest, AreNotStale) {
  ASSERT_OK_AND_ASSIGN(const auto pages, Pages(kRoot));
  EXPECT_THAT(pages.at("specs/README.md"), HasSubstr("<!-- features -->\n| feature |"));
  EXPECT_THAT(pages.at("specs/README.md"), HasSubstr("<!-- specs -->\n| spec |"));
  EXPECT_THAT(pages.at("specs/README.md"), HasSubstr("<!-- members -->\n| field |"));
  for (const auto& [path, text] : pages) {
    EXPECT_EQ(text, ContentOf(std::string(kRoot) + "/" + path))
        << path << ": run build/release/tests/docs/write_docs .";
  }
}

// What no emulator shows: a processor that leaves the guest for a bus lock.
const std::set<std::string>& OfHardware() {
  static const auto* const specs = new std::set<std::string>{"bus-locked"};
  return *specs;
}

TEST(ProofTest, EachSpecIsReportedInOneScenarioAndNotInAnother) {
  ASSERT_OK_AND_ASSIGN(const SpecLibrary library, SpecLibrary::Load(std::string(kRoot) + "/specs"));
  ASSERT_OK_AND_ASSIGN(const auto scenarios,
                       scenario::ReadFolder(std::string(kRoot) + "/tests/scenario/scenarios"));
  std::vector<std::string> ids;
  for (const Spec& spec : library.specs()) ids.push_back(spec.id);
  for (const auto& [spec, proof] : scenario::ProofsOf(scenarios, ids)) {
    const bool proven = !proof.reported_in.empty() && !proof.silent_in.empty();
    EXPECT_NE(proven, OfHardware().contains(spec)) << spec;
  }
  for (const std::string& spec : OfHardware()) EXPECT_THAT(ids, Contains(spec));
}

TEST(AlertTimesTest, TheLastOfAScenarioCounts) {
  const AlertTimes times = ParseAlertTimes("a 3\nb 4.5\n\nnonsense\na x\na 7\n");
  EXPECT_EQ(times, (AlertTimes{{"a", "7 ms"}, {"b", "4.5 ms"}}));
}

}  // namespace
}  // namespace kvmsentry
