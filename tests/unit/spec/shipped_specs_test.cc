// The library that ships, and its catalogue.
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/source/catalogue.h"
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

TEST(ShippedSpecsTest, CanBeSortedAndAlert) {
  const SpecLibrary library = Shipped();
  for (const Spec& spec : library.specs()) {
    EXPECT_THAT(spec.tags, Not(IsEmpty())) << spec.id;
    EXPECT_FALSE(spec.observe_only) << spec.id;
  }
}

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

// How much a VM uses, and why it leaves the guest, is no deviation: these are for `kvmsentry vms`,
// and for sites' own specs.
bool IsUse(const Feature& feature) {
  static const std::set<absl::string_view> uses = {"cpu.used",
                                                   "cpu.quota.used",
                                                   "exit.reason",
                                                   "memory.locked",
                                                   "memory.huge",
                                                   "memory.reclaim.rate",
                                                   "pressure.cpu.some",
                                                   "pressure.cpu.full",
                                                   "pressure.memory.some",
                                                   "pressure.io.some",
                                                   "disk.read.rate",
                                                   "disk.write.rate",
                                                   "disk.read.byte.rate",
                                                   "disk.write.byte.rate",
                                                   "disk.latency.p50",
                                                   "disk.throttled",
                                                   "tap.from_guest.packet.rate",
                                                   "tap.from_guest.byte.rate",
                                                   "tap.from_guest.drop.rate",
                                                   "tap.to_guest.packet.rate",
                                                   "tap.to_guest.byte.rate",
                                                   "tap.to_guest.error.rate"};
  return uses.contains(feature.name);
}

TEST(ShippedSpecsTest, EveryFeatureHasASpec) {
  const SpecLibrary shipped = Shipped();
  std::set<FeatureId> watched;
  for (const Spec& spec : shipped.specs()) watched.insert(spec.feature);
  for (const Feature& feature : Catalogue()) {
    EXPECT_NE(watched.contains(feature.id), IsUse(feature)) << feature.name;
  }
}

TEST(ShippedSpecsTest, TheKernelHasRoomForAllLimits) {
  const SpecLibrary shipped = Shipped();
  size_t with_limit = 0;
  for (const Spec& spec : shipped.specs()) {
    if (!FeatureOf(spec.feature).meter_ref()) continue;
    const auto* range = std::get_if<RangeNorm>(&spec.norm);
    with_limit += (range != nullptr && range->max) || std::holds_alternative<BurstNorm>(spec.norm);
  }
  VmFacts vm;
  vm.vcpus = 1;  // a limit per vCPU of a VM without any is none
  EXPECT_EQ(shipped.LimitsFor(vm).size(), with_limit);
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
