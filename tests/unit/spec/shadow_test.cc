// A spec that others leave nothing to tell is warned of, and no other.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Pair {
  std::string name;
  // The lines that differ; the rest is alike.
  std::vector<std::string> first, second;
  bool shadowed;  // the second
};

void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.name; }

std::string TextOf(const std::string& id, const std::vector<std::string>& lines) {
  SpecText text;
  text.With(2, "  id: \"" + id + "\"");
  for (const std::string& line : lines) {
    if (line.starts_with("point")) text.With(3, line);
    if (line.starts_with("feature")) text.With(4, line);
    if (line.starts_with("norm")) text.With(5, line);
    if (line.starts_with("severity")) text.With(7, line);
    if (line.starts_with("select")) text.With(9, "  look_at: \"There.\" " + line);
  }
  return text.text();
}

class ShadowTest : public testing::TestWithParam<Pair> {};

TEST_P(ShadowTest, IsSaidOfTheOneThatTellsNothing) {
  const auto problems = ProblemsOf(
      {{"f", TextOf("first", GetParam().first)}, {"g", TextOf("second", GetParam().second)}});
  if (GetParam().shadowed) {
    EXPECT_THAT(
        problems,
        ElementsAre("g:2:3: warning: spec \"second\" is shadowed by \"first\" at f:2:3, which "
                    "reports all that it could, no less severely: change its norm, severity "
                    "or VMs, or remove it"));
  } else {
    EXPECT_THAT(problems, IsEmpty());
  }
}

const std::string kPorts = "feature: \"pio.port\"";

INSTANTIATE_TEST_SUITE_P(
    Pairs, ShadowTest,
    testing::ValuesIn(std::vector<Pair>{
        {"Alike", {}, {}, true},
        {"LaxerMax", {"norm { max: 10 }"}, {"norm { max: 20 }"}, true},
        {"LaxerMin", {"norm { min: 20 }"}, {"norm { min: 10 }"}, true},
        {"WiderRange", {"norm { min: 3 max: 10 }"}, {"norm { max: 10 }"}, true},
        {"OtherSide", {"norm { max: 10 }"}, {"norm { min: 5 }"}, false},
        {"LaxerAndMoreSevere",
         {"norm { max: 10 }"},
         {"norm { max: 20 }", "severity: CRITICAL"},
         false},
        {"LaxerAndLessSevere", {"severity: CRITICAL"}, {"norm { max: 20 }"}, true},
        {"OverAnotherTime",
         {"norm { max: 10 }"},
         {"norm { max: 20 } window { seconds: 5 }"},
         false},
        {"AtAnotherPoint", {}, {"point: R5"}, false},
        {"OfAnotherFeature", {}, {"feature: \"mmio.rate\""}, false},
        {"LaxerBurst",
         {"norm { burst { count: 5 milliseconds: 100 } }"},
         {"norm { burst { count: 5 milliseconds: 50 } }"},
         true},
        {"ShorterBurst",
         {"norm { burst { count: 50 milliseconds: 100 } }"},
         {"norm { burst { count: 10 milliseconds: 10 } }"},
         false},
        {"BurstAndRate",
         {"norm { max: 10 }"},
         {"norm { burst { count: 10 milliseconds: 10 } }"},
         false},
        {"ForSomeOfTheVms", {}, {"select { vm: \"web-*\" }"}, true},
        {"ForTheSameVms", {"select { vm: \"web-*\" }"}, {"select { vm: \"web-*\" }"}, true},
        {"ForOtherVms", {"select { vm: \"db-*\" }"}, {"select { vm: \"web-*\" }"}, false},
        {"DeniesLess",
         {kPorts, "norm { deny { port: [\"1-5\", \"6-9\"] } }"},
         {kPorts, "norm { deny { port: \"4-7\" } }"},
         true},
        {"DeniesElse",
         {kPorts, "norm { deny { port: \"1-5\" } }"},
         {kPorts, "norm { deny { port: \"5-6\" } }"},
         false},
        {"AllowsMore",
         {kPorts, "norm { allow { port: \"1-5\" } }"},
         {kPorts, "norm { allow { port: \"0-9\" } }"},
         true},
        {"DeniesWhatIsNotAllowed",
         {kPorts, "norm { allow { port: \"1-5\" } }"},
         {kPorts, "norm { deny { port: \"6\" } }"},
         true},
        {"MoreVariety",
         {kPorts, "norm { max_members: 5 }"},
         {kPorts, "norm { max_members: 9 }"},
         true},
        {"VarietyOverAnotherTime",
         {kPorts, "norm { max_members: 5 }"},
         {kPorts, "norm { max_members: 9 } window { seconds: 5 }"},
         false},
        {"DeniesWhatIsAllowed",
         {kPorts, "norm { allow { port: \"1-5\" } }"},
         {kPorts, "norm { deny { port: \"5-6\" } }"},
         false},
    }),
    [](const testing::TestParamInfo<Pair>& pair) { return pair.param.name; });

TEST(ShadowsTest, TheOrderOfTheFilesDoesNotMatter) {
  EXPECT_THAT(ProblemsOf({{"f", TextOf("lax", {"norm { max: 20 }"})}, {"g", TextOf("strict", {})}}),
              ElementsAre(testing::StartsWith("f:2:3: warning: spec \"lax\" is shadowed by")));
}

TEST(ShadowsTest, AShadowedSpecIsStillInForce) {
  const auto result =
      SpecLibrary::Parse({{"f", TextOf("strict", {})}, {"g", TextOf("lax", {"norm { max: 20 }"})}});
  EXPECT_EQ(result.library.specs().size(), 2U);
}

}  // namespace
}  // namespace kvmsentry
