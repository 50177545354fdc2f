// The library that ships, and its catalogue.
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/source/catalogue.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::Not;

constexpr char kFolder[] = KVMSENTRY_SPECS_DIR;

std::string Readme() {
  std::ifstream stream(std::string(kFolder) + "/README.md");
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The cells of each row whose first cell is a name in backquotes, under a heading.
std::vector<std::vector<std::string>> RowsUnder(absl::string_view heading) {
  std::vector<std::vector<std::string>> rows;
  bool here = false;
  for (const absl::string_view line : absl::StrSplit(Readme(), '\n')) {
    if (absl::StartsWith(line, "#")) here = line == heading;
    if (!here || !absl::StartsWith(line, "| `")) continue;
    std::vector<std::string> cells;
    for (absl::string_view cell : absl::StrSplit(line, '|')) {
      cell = absl::StripAsciiWhitespace(cell);
      if (!cell.empty()) cells.emplace_back(absl::StripPrefix(absl::StripSuffix(cell, "`"), "`"));
    }
    rows.push_back(cells);
  }
  return rows;
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

TEST(CatalogueTest, ListsEveryFeatureAsItIs) {
  std::vector<std::vector<std::string>> expected;
  for (const Feature& feature : Catalogue()) {
    std::string points;
    for (int value = 1; value <= static_cast<int>(Point::kR5); ++value) {
      const auto point = static_cast<Point>(value);
      if (feature.points.Contains(point)) {
        absl::StrAppend(&points, points.empty() ? "" : ", ", PointName(point));
      }
    }
    expected.push_back({std::string(feature.name),
                        feature.kind == FeatureKind::kRate ? "rate" : "set",
                        std::string(feature.unit), points, absl::StrJoin(feature.hooks, ", "),
                        std::string(feature.noun)});
  }
  EXPECT_THAT(RowsUnder("## Features"), ElementsAreArray(expected));
}

TEST(CatalogueTest, ListsEverySpecAsItIs) {
  const SpecLibrary shipped = Shipped();
  std::vector<std::vector<std::string>> expected;
  for (const Spec& spec : shipped.specs()) {
    expected.push_back({spec.id, std::string(PointName(spec.point)),
                        std::string(FeatureOf(spec.feature).name), spec.norm_text,
                        absl::StrCat(spec.weight), std::string(SeverityName(spec.severity))});
  }
  EXPECT_THAT(RowsUnder("## Specs"), testing::UnorderedElementsAreArray(expected));
}

TEST(CatalogueTest, ExamplesAreSpecs) {
  const std::vector<std::string> parts = absl::StrSplit(Readme(), "```textproto\n");
  ASSERT_GT(parts.size(), 1);
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string example = parts[i].substr(0, parts[i].find("```"));
    EXPECT_THAT(ProblemsOf(example), IsEmpty()) << example;
  }
}

}  // namespace
}  // namespace kvmsentry
