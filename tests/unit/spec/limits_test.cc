#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/base/time.h"
#include "sensor/source/catalogue.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {

void PrintTo(const Limit& limit, std::ostream* out) {
  *out << "meter " << limit.meter.meter << ": " << limit.count << " in " << limit.window_ns
       << " ns";
}

namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::SizeIs;

const MeterRef kPio = *FindFeature("pio.rate")->meter_ref();
const MeterRef kMmio = *FindFeature("mmio.rate")->meter_ref();
const MeterRef kExit = *FindFeature("exit.rate")->meter_ref();
constexpr int64_t kSecond = kNsPerSecond;
constexpr int64_t kMs = kNsPerMs;

// A library of one spec for each norm, all of the same feature.
SpecLibrary LibraryOf(const std::vector<std::string>& norms,
                      const std::string& feature = "pio.rate") {
  std::vector<SpecSource> sources;
  for (const std::string& norm : norms) {
    sources.push_back({"f", SpecText()
                                .With(2, absl::StrCat("id: \"spec-", sources.size(), "\""))
                                .With(4, "feature: \"" + feature + "\"")
                                .With(5, norm)
                                .text()});
  }
  SpecLibrary library = SpecLibrary::Parse(sources).library;
  EXPECT_THAT(library.specs(), SizeIs(norms.size()));
  return library;
}

TEST(LimitsTest, AreTheTightestRateAndTheShortestBurst) {
  const struct {
    std::vector<std::string> norms;
    std::vector<Limit> limits;
  } cases[] = {
      {{"norm { max: 20000 }"}, {{kPio, 20000, kSecond}}},
      {{"norm { max: 20000 } window { milliseconds: 10 }"}, {{kPio, 200, 10 * kMs}}},
      {{"norm { max: 0.5 }"}, {{kPio, 0, kSecond}}},
      {{"norm { max: 0.29 } window { seconds: 100 }"}, {{kPio, 29, 100 * kSecond}}},
      {{"norm { max: 1000000000000 } window { seconds: 3600 }"},
       {{kPio, 3'600'000'000'000'000, 3600 * kSecond}}},
      {{"norm { burst { count: 500 milliseconds: 10 } }"}, {{kPio, 500, 10 * kMs}}},
      // A min is for ticks alone; of a range, the max counts.
      {{"norm { min: 3 }"}, {}},
      {{"norm { min: 3 max: 5 }"}, {{kPio, 5, kSecond}}},
      // Alike: once.
      {{"norm { max: 100 }", "norm { max: 100 }"}, {{kPio, 100, kSecond}}},
      {{"norm { max: 100 }", "norm { burst { count: 100 milliseconds: 1000 } }"},
       {{kPio, 100, kSecond}}},
      // Fewest per time first; then the shorter window.
      {{"norm { max: 300 }", "norm { max: 100 }", "norm { max: 200 }"},
       {{kPio, 100, kSecond}, {kPio, 200, kSecond}}},
      {{"norm { max: 300 }", "norm { max: 100 } window { seconds: 9 }",
        "norm { max: 100 } window { seconds: 5 }", "norm { max: 100 } window { seconds: 7 }"},
       {{kPio, 500, 5 * kSecond}, {kPio, 700, 7 * kSecond}}},
      // Two rates may not push out the burst, which ticks could not see.
      {{"norm { max: 100 }", "norm { max: 200 }",
        "norm { burst { count: 5000 milliseconds: 1000 } }",
        "norm { burst { count: 500 milliseconds: 10 } }"},
       {{kPio, 100, kSecond}, {kPio, 500, 10 * kMs}}},
      {{"norm { burst { count: 3 milliseconds: 9 } }",
        "norm { burst { count: 2 milliseconds: 9 } }",
        "norm { burst { count: 1 milliseconds: 9 } }"},
       {{kPio, 1, 9 * kMs}, {kPio, 2, 9 * kMs}}},
      {{"norm { burst { count: 3 milliseconds: 30 } }",
        "norm { burst { count: 2 milliseconds: 9 } }",
        "norm { burst { count: 1 milliseconds: 9 } }"},
       {{kPio, 1, 9 * kMs}, {kPio, 2, 9 * kMs}}},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(LibraryOf(c.norms).LimitsFor({}), ElementsAreArray(c.limits)) << c.norms.front();
  }
}

TEST(LimitsTest, AreChosenForEachMeter) {
  const SpecLibrary library =
      SpecLibrary::Parse(
          {
              {"a", SpecText().With(2, "id: \"a\"").With(4, "feature: \"mmio.rate\"").text()},
              {"b", SpecText().With(2, "id: \"b\"").text()},
              {"c", SpecText().With(2, "id: \"c\"").With(5, "norm { max: 5 }").text()},
              {"d", SpecText().With(2, "id: \"d\"").With(5, "norm { max: 7 }").text()},
              {"e", SpecText().With(2, "id: \"e\"").With(4, "feature: \"exit.rate\"").text()},
              {"f", SpecText()
                        .With(2, "id: \"f\"")
                        .With(4, "feature: \"pio.port\"")
                        .With(5, "norm { deny { port: \"1\" } }")
                        .text()},
          })
          .library;
  const Limit expected[] = {
      {kPio, 5, kSecond}, {kPio, 7, kSecond}, {kMmio, 10, kSecond}, {kExit, 10, kSecond}};
  EXPECT_THAT(library.LimitsFor({}), ElementsAreArray(expected));
}

TEST(LimitsTest, AreThoseOfTheSpecsThatSelectTheVm) {
  const SpecLibrary library = LibraryOf(
      {"select { vm: \"web-*\" } norm { max: 1 }", "select { vm: \"db-*\" } norm { max: 2 }"});
  VmFacts facts;
  facts.given_name = "db-1";
  EXPECT_THAT(library.LimitsFor(facts), ElementsAreArray({Limit{kPio, 2, kSecond}}));
  facts.given_name = "mail";
  EXPECT_THAT(library.LimitsFor(facts), IsEmpty());
}

TEST(LimitsTest, OfANormPerVcpuAreOfAllItsVcpus) {
  const SpecLibrary library = LibraryOf(
      {"norm { max: 100 per: VCPU }", "norm { burst { count: 5 milliseconds: 10 } per: VCPU }"});
  VmFacts facts;
  EXPECT_THAT(library.LimitsFor(facts), IsEmpty()) << "nobody knows how many it has";
  facts.vcpus = 4;
  EXPECT_THAT(library.LimitsFor(facts),
              ElementsAreArray({Limit{kPio, 20, 10 * kMs}, Limit{kPio, 400, kSecond}}));
}

TEST(LimitsTest, AreNotThoseOfASpecThatExceptsTheVm) {
  const SpecLibrary library = LibraryOf({"norm { max: 1 } except { vm: \"db-*\" }"});
  VmFacts facts;
  facts.given_name = "db-1";
  EXPECT_THAT(library.LimitsFor(facts), IsEmpty());
  facts.given_name = "web-1";
  EXPECT_THAT(library.LimitsFor(facts), SizeIs(1));
}

}  // namespace
}  // namespace kvmsentry
