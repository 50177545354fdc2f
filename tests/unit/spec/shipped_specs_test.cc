// The library that ships, and its catalogue.
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/source/catalogue.h"
#include "sensor/spec/readme.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kFolder[] = KVMSENTRY_SPECS_DIR;

std::string Readme() {
  std::ifstream stream(std::string(kFolder) + "/README.md");
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

SpecLibrary Shipped() {
  auto library = SpecLibrary::Load(kFolder);
  EXPECT_TRUE(library.ok()) << library.status();
  return library.ok() ? *std::move(library) : SpecLibrary();
}

TEST(ShippedSpecsTest, HaveNoProblem) { EXPECT_THAT(Shipped().specs(), Not(IsEmpty())); }

TEST(ShippedSpecsTest, StandInTheFileOfTheirPoint) {
  const auto sources = ReadSpecFolder(kFolder);
  ASSERT_TRUE(sources.ok()) << sources.status();
  for (const SpecSource& source : *sources) {
    const auto result = SpecLibrary::Parse({source});
    for (const Spec& spec : result.library.specs()) {
      EXPECT_TRUE(
          absl::EndsWith(source.file, absl::StrCat("/", PointName(spec.point), ".textproto")))
          << source.file << ": " << spec.id;
    }
  }
}

TEST(ShippedSpecsTest, EveryFeatureHasASpec) {
  const SpecLibrary shipped = Shipped();
  std::set<FeatureId> watched;
  for (const Spec& spec : shipped.specs()) watched.insert(spec.feature);
  for (const Feature& feature : Catalogue()) {
    EXPECT_TRUE(watched.contains(feature.id)) << feature.name;
  }
}

TEST(ShippedSpecsTest, TheKernelHasRoomForAllLimits) {
  const SpecLibrary shipped = Shipped();
  size_t with_limit = 0;
  for (const Spec& spec : shipped.specs()) {
    const auto* range = std::get_if<RangeNorm>(&spec.norm);
    with_limit += (range != nullptr && range->max) || std::holds_alternative<BurstNorm>(spec.norm);
  }
  EXPECT_EQ(shipped.LimitsFor({}).size(), with_limit);
}

TEST(ReadmeTest, ItsTablesAreThoseOfTheCatalogueAndTheSpecs) {
  const std::string readme = Readme();
  EXPECT_THAT(readme, HasSubstr("<!-- features -->\n| feature |"));
  EXPECT_THAT(readme, HasSubstr("<!-- specs -->\n| spec |"));
  EXPECT_EQ(readme, WithTables(readme, Shipped()))
      << "stale: run build/release/tests/unit/spec/write_readme specs";
}

TEST(ReadmeTest, ExamplesAreSpecs) {
  const std::vector<std::string> parts = absl::StrSplit(Readme(), "```textproto\n");
  ASSERT_GT(parts.size(), 1);
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string example = parts[i].substr(0, parts[i].find("```"));
    EXPECT_THAT(ProblemsOf(example), IsEmpty()) << example;
  }
}

}  // namespace
}  // namespace kvmsentry
