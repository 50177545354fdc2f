// A site's layer on the specs that ship: what it changes, and each way in which it can be wrong.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/base/time.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::string NamedSpec(const std::string& id, const std::string& norm = "max: 10") {
  return SpecText().With(2, "  id: \"" + id + "\"").With(5, "  norm { " + norm + " }").text();
}

// Two shipped specs: "pio-storm" and, from line 11 on, "pio-flood".
SpecSource ShippedSource() {
  return {"K2", NamedSpec("pio-storm") + SpecText()
                                             .With(2, "  id: \"pio-flood\"")
                                             .With(4, "  feature: \"mmio.rate\"")
                                             .With(5, "  norm { max: 5 clear: 1 }")
                                             .text()};
}

SpecLibrary::Result LayeredResult(const std::vector<SpecSource>& site) {
  return SpecLibrary::Parse(SpecLayers{.shipped = {ShippedSource()}, .site = site});
}

std::vector<std::string> ProblemsOfSite(const std::vector<SpecSource>& site) {
  std::vector<std::string> texts;
  for (const Problem& problem : LayeredResult(site).problems) texts.push_back(ToString(problem));
  return texts;
}

std::vector<std::string> ProblemsOfSite(const std::string& text) {
  return ProblemsOfSite(std::vector<SpecSource>{{"site", text}});
}

SpecLibrary SiteLibrary(const std::vector<SpecSource>& site) {
  SpecLibrary::Result result = LayeredResult(site);
  for (const Problem& problem : result.problems) {
    EXPECT_TRUE(problem.is_warning) << ToString(problem);
  }
  return std::move(result.library);
}

SpecLibrary SiteLibrary(const std::string& text) {
  return SiteLibrary(std::vector<SpecSource>{{"site", text}});
}

std::vector<std::string> ChangesOf(const Origin& origin) {
  std::vector<std::string> texts;
  for (const FieldChange& change : origin.changes) {
    texts.push_back(absl::StrCat(ToString(change.at), ": ", change.field, ": ", change.before,
                                 " -> ", change.after));
  }
  return texts;
}

std::vector<std::string> IdsOf(const SpecLibrary& library) {
  std::vector<std::string> ids;
  for (const Spec& spec : library.specs()) ids.push_back(spec.id);
  return ids;
}

TEST(LayersTest, WithoutASiteTheShippedSpecsAreLoadedAsTheyAre) {
  const SpecLibrary alone = SpecLibrary::Parse({ShippedSource()}).library;
  EXPECT_EQ(SiteLibrary(std::vector<SpecSource>()).specs(), alone.specs());
  // As Kubernetes mounts a ConfigMap that says nothing.
  EXPECT_EQ(SiteLibrary("# proto-message: SpecFile\n").specs(), alone.specs());
  EXPECT_EQ(alone.OriginOf("pio-storm").layer, Layer::kShipped);
  EXPECT_EQ(ToString(alone.OriginOf("pio-flood").at), "K2:11:1");
}

TEST(LayersTest, ASiteAddsSpecs) {
  const SpecLibrary library = SiteLibrary(NamedSpec("fn-storm", "max: 3"));
  EXPECT_THAT(IdsOf(library), ElementsAre("fn-storm", "pio-flood", "pio-storm"));
  EXPECT_EQ(library.OriginOf("fn-storm").layer, Layer::kSite);
  EXPECT_EQ(ToString(library.OriginOf("fn-storm").at), "site:1:1");
}

TEST(LayersTest, ASiteDisablesSpecs) {
  const SpecLibrary library = SiteLibrary("disable: \"pio-storm\"\n");
  EXPECT_THAT(IdsOf(library), ElementsAre("pio-flood"));
  ASSERT_EQ(library.disabled().size(), 1U);
  EXPECT_EQ(library.disabled()[0].id, "pio-storm");
  EXPECT_EQ(ToString(library.disabled()[0].at), "site:1:10");
  EXPECT_EQ(ToString(library.disabled()[0].spec_at), "K2:1:1");
  EXPECT_THAT(ProblemsOfSite("disable: [\"pio-storm\", \"pio-flood\"]"),
              ElementsAre("K2:1:1: error: the site disables every spec of the library"));
}

TEST(LayersTest, AnOverrideReplacesTheFieldsThatItHasAndNoOthers) {
  const SpecLibrary before = SiteLibrary("");
  const SpecLibrary after = SiteLibrary(
      "override {\n"
      "  spec: \"pio-flood\"\n"
      "  severity: NOTICE\n"
      "  norm { max: 7 }\n"
      "  weight: 3 for { seconds: 2 } hold { seconds: 4 } window { seconds: 5 }\n"
      "  why: \"Ours.\" look_at: \"Here.\" tags: [\"ours\"] mitre: \"T1499\"\n"
      "  select { vm: \"web-*\" } mode: OBSERVE\n"
      "}\n");
  EXPECT_EQ(*after.Find("pio-storm"), *before.Find("pio-storm"));
  const Spec& spec = *after.Find("pio-flood");
  EXPECT_EQ(spec.severity, Severity::kNotice);
  EXPECT_EQ(spec.norm_text, "at most 7/s over 5s, for 2s");
  EXPECT_EQ(std::get<RangeNorm>(spec.norm).clear_max, 0.8 * 7) << "the norm is replaced as a whole";
  EXPECT_EQ(spec.weight, 3);
  EXPECT_EQ(spec.patience, (Patience{2 * kNsPerSecond, 4 * kNsPerSecond}));
  EXPECT_EQ(spec.why, "Ours.");
  EXPECT_EQ(spec.look_at, "Here.");
  EXPECT_THAT(spec.tags, ElementsAre("ours"));
  EXPECT_THAT(spec.mitre, ElementsAre("T1499"));
  EXPECT_EQ(spec.selector_text, "VMs named web-*");
  EXPECT_TRUE(spec.observe_only);
  EXPECT_EQ(spec.point, before.Find("pio-flood")->point);
}

TEST(LayersTest, ExceptionsAreAddedAlsoByTwoOverrides) {
  const SpecLibrary library =
      SiteLibrary({{"a", "override { spec: \"pio-storm\" except { vm: \"ci-*\" } }"},
                   {"b", "override { spec: \"pio-storm\" except { vm: \"db\" vmm: \"qemu\" } }"}});
  EXPECT_EQ(library.Find("pio-storm")->selector_text,
            "all VMs, except VMs named ci-*, except VMs named db, run by qemu");
  const Origin& origin = library.OriginOf("pio-storm");
  ASSERT_EQ(origin.except_at.size(), 2U);
  EXPECT_EQ(ToString(origin.except_at[1]), "b:1:30");
  EXPECT_THAT(ChangesOf(origin), ElementsAre("a:1:30: except:  -> { vm: \"ci-*\" }",
                                             "b:1:30: except:  -> { vm: \"db\" vmm: \"qemu\" }"));
}

// A spec of a set, as SpecText makes one, with what a site's text makes of it.
SpecLibrary::Result SetWith(const std::string& site, const std::string& norm) {
  const SpecSource shipped{
      "K2", "spec { id: \"programs\" point: K2 feature: \"vmm.program\"\n norm { " + norm +
                " }\n weight: 30 severity: WARNING why: \"W.\" look_at: \"L.\" }"};
  return SpecLibrary::Parse(SpecLayers{.shipped = {shipped}, .site = {{"site", site}}});
}

TEST(LayersTest, WhatAnOverrideAllowsIsAddedToTheNorm) {
  const auto result = SetWith("override { spec: \"programs\"\n allow { program: \"/bin/ours\" } }",
                              "allow { program: [\"/bin/a\", \"/bin/b\"] }");
  ASSERT_TRUE(result.problems.empty()) << ToString(result.problems[0]);
  EXPECT_EQ(result.library.Find("programs")->norm_text,
            SetWith("", "allow { program: [\"/bin/a\", \"/bin/b\", \"/bin/ours\"] }")
                .library.Find("programs")
                ->norm_text);
  EXPECT_THAT(ChangesOf(result.library.OriginOf("programs")),
              ElementsAre("site:2:2: allow:  -> { program: \"/bin/ours\" }"));
}

TEST(LayersTest, WhatCannotBeAllowedIsReportedWhereItStands) {
  const auto problems = [](const std::string& site, const std::string& norm) {
    std::vector<std::string> texts;
    for (const Problem& problem : SetWith(site, norm).problems) texts.push_back(ToString(problem));
    return texts;
  };
  EXPECT_THAT(problems("override { spec: \"programs\"\n allow { port: \"80\" } }",
                       "allow { program: \"/bin/a\" }"),
              ElementsAre(HasSubstr("site:2:10: error: port is not the field of feature")));
  EXPECT_THAT(problems("override { spec: \"programs\"\n allow { program: \"/bin/a\" } }",
                       "deny { program: \"/bin/b\" }"),
              ElementsAre(HasSubstr("site:2:2: error: spec \"programs\" of K2:1:1 has no members "
                                    "that are allowed, so none can be added")));
}

TEST(LayersTest, TheOriginSaysWhatWasChangedFieldByField) {
  const SpecLibrary library = SiteLibrary(
      "override { spec: \"pio-flood\"\n severity: NOTICE norm { max: 7 }\n hold { seconds: 1 }\n"
      " mode: OBSERVE tags: [\"a\", \"b\"] }");
  const Origin& origin = library.OriginOf("pio-flood");
  EXPECT_EQ(origin.layer, Layer::kShipped);
  EXPECT_THAT(
      ChangesOf(origin),
      ElementsAre("site:2:19: norm: { max: 5 clear: 1 } -> { max: 7 }",
                  "site:2:2: severity: WARNING -> NOTICE", "site:3:2: hold:  -> { seconds: 1 }",
                  "site:4:16: tags:  -> \"a\", \"b\"", "site:4:2: mode: ALERT -> OBSERVE"));
}

TEST(LayersTest, TheOrderOfFilesDoesNotMatter) {
  std::vector<SpecSource> site = {
      {"a", "override { spec: \"pio-storm\" except { vm: \"a-*\" } severity: INFO }"},
      {"b", "disable: \"pio-flood\"\n" + NamedSpec("ours", "max: 2")},
      {"c", "override { spec: \"pio-storm\" except { vm: \"c-*\" } weight: 7 }"},
      {"d", "override { spec: \"ours\" weight: 9 }"}};
  const SpecLibrary first = SiteLibrary(site);
  std::vector<std::string> bad =
      ProblemsOfSite({{"a", "override { spec: \"pio-storm\" weight: 1 }"},
                      {"b", "override { spec: \"pio-storm\" weight: 2 }"}});
  do {
    const SpecLibrary library = SiteLibrary(site);
    EXPECT_EQ(library.specs(), first.specs());
    EXPECT_EQ(library.OriginOf("pio-storm").changes, first.OriginOf("pio-storm").changes);
  } while (std::ranges::next_permutation(site, {}, &SpecSource::file).found);
  EXPECT_EQ(ProblemsOfSite({{"b", "override { spec: \"pio-storm\" weight: 2 }"},
                            {"a", "override { spec: \"pio-storm\" weight: 1 }"}}),
            bad);
}

TEST(LayersTest, AnUnknownIdIsReportedWithTheNearest) {
  EXPECT_THAT(
      ProblemsOfSite("disable: \"pio-strom\"\noverride {\n  spec: \"pio-flod\"\n weight: 1 }"),
      ElementsAre("site:1:10: error: disable of an unknown spec \"pio-strom\"; did you mean "
                  "\"pio-storm\" of K2:2:3?",
                  "site:3:3: error: override of an unknown spec \"pio-flod\"; did you mean "
                  "\"pio-flood\" of K2:12:3?"));
}

TEST(LayersTest, APatternIsRefused) {
  EXPECT_THAT(ProblemsOfSite("disable: [\"pio-flood\",\n  \"pio-*\"]"),
              ElementsAre("site:2:3: error: disable of an unknown spec \"pio-*\"; a pattern is not "
                          "taken, so that no spec of a later release is meant by it: name each"));
}

TEST(LayersTest, TwoOverridesOfAFieldAreReportedAtTheLater) {
  EXPECT_THAT(ProblemsOfSite({{"a", "override { spec: \"pio-storm\" severity: INFO }"},
                              {"b", "override { spec: \"pio-storm\"\n severity: INFO }"}}),
              ElementsAre("b:2:2: error: severity of spec \"pio-storm\" is already overridden at "
                          "a:1:30; keep one of them"));
}

TEST(LayersTest, ASitesSpecWithAShippedIdIsReportedAtTheSites) {
  EXPECT_THAT(ProblemsOfSite({{"A", "\n" + NamedSpec("pio-storm", "max: 3")}}),
              ElementsAre("A:3:3: error: id \"pio-storm\" is already used at K2:2:3; change that "
                          "spec by override { spec: \"pio-storm\" ... }, or choose another id"));
}

TEST(LayersTest, AnOverrideThatMakesASpecInvalidIsReportedWhereItStands) {
  // Of a field that it has, at that field.
  EXPECT_THAT(ProblemsOfSite("override { spec: \"pio-storm\"\n  weight: 0\n}"),
              ElementsAre("site:2:3: error: weight is 0; it must be from 1 to 100 (spec "
                          "\"pio-storm\" of K2:1:1, as overridden here)"));
  EXPECT_THAT(ProblemsOfSite("override { spec: \"pio-storm\"\n  norm { deny { port: \"80\" } } }"),
              ElementsAre(AllOf(HasSubstr("site:2:10: error: deny does not fit feature"),
                                HasSubstr("(spec \"pio-storm\" of K2:1:1"))));
  // Of a field that only no longer fits, at the override.
  EXPECT_THAT(
      ProblemsOfSite({{"a", "override {\n  spec: \"pio-storm\" for { seconds: 1 } }"},
                      {"b",
                       "override { spec: \"pio-storm\"\n norm { burst { count: 9 milliseconds: "
                       "10 } } }"}}),
      ElementsAre("a:2:21: error: for does not fit burst: a burst is over at once (spec "
                  "\"pio-storm\" of K2:1:1, as overridden here)"));
  EXPECT_THAT(ProblemsOfSite("override { spec: \"pio-storm\" except { vm: \"[\" } }"),
              ElementsAre(HasSubstr("site:1:43: error: pattern for vm \"[\"")));
  EXPECT_THAT(
      ProblemsOfSite("override { spec: \"pio-storm\" except { vm: \"*\" } }"),
      ElementsAre(HasSubstr("site:1:30: error: except takes away all that the spec selects")));
}

// By a field that the shipped spec has and the override does not.
TEST(LayersTest, WhatNoLongerFitsIsReportedAtTheOverrideThatBringsItAbout) {
  const SpecSource shipped{
      "K2", SpecText().With(6, "  weight: 30 for { seconds: 1 } except { vm: \"a\" }").text()};
  const auto problems = [&](const std::string& site) {
    std::vector<std::string> texts;
    for (const Problem& problem :
         SpecLibrary::Parse(SpecLayers{.shipped = {shipped}, .site = {{"site", site}}}).problems) {
      texts.push_back(ToString(problem));
    }
    return texts;
  };
  EXPECT_THAT(
      problems("override {\n spec: \"a-spec\"\n norm { burst { count: 9 milliseconds: 10 } } }"),
      ElementsAre("site:2:2: error: for does not fit burst: a burst is over at once (spec "
                  "\"a-spec\" of K2:1:1, as overridden here)"));
  EXPECT_THAT(problems("override {\n spec: \"a-spec\"\n select { vm: \"a\" } }"),
              ElementsAre("site:2:2: error: except takes away all that the spec selects (spec "
                          "\"a-spec\" of K2:1:1, as overridden here)"));
}

TEST(LayersTest, WhatCannotBeReadHidesNothingElse) {
  EXPECT_THAT(
      ProblemsOfSite("override { spec: \"pio-storm\" severity: HIGH }\n"
                     "override { spec: \"pio-storm\" id: \"x\" weight: 1 }\n"
                     "override { weight: 1 }\n"
                     "disable: 7\n"
                     "override { spec: \"nothing\" }\n"),
      ElementsAre(
          "site:1:40: error: severity: no value HIGH; one of INFO, NOTICE, WARNING, CRITICAL",
          HasSubstr("site:2:30: error: override: no field \"id\"; one of spec, "),
          "site:3:1: error: spec is missing: name the id of the spec that is overridden",
          "site:4:10: error: Expected string, got: 7",
          HasSubstr("site:5:12: error: override of an unknown spec \"nothing\"")));
}

TEST(LayersTest, WhatDoesNothingIsWarnedOf) {
  EXPECT_THAT(ProblemsOfSite("override { spec: \"pio-storm\" }\n"),
              ElementsAre("site:1:12: warning: override of \"pio-storm\" changes nothing"));
  EXPECT_THAT(ProblemsOfSite("disable: \"pio-storm\" disable: \"pio-storm\"\n"
                             "override { spec: \"pio-storm\" weight: 2 }"),
              ElementsAre("site:1:31: warning: spec \"pio-storm\" is already disabled at site:1:10",
                          "site:2:12: warning: override of \"pio-storm\" is for nothing: "
                          "site:1:10 disables that spec"));
}

TEST(LayersTest, ShippedSpecsChangeNothing) {
  EXPECT_THAT(
      ProblemsOf("disable: \"a-spec\"\n" + SpecText().text() + "override { spec: \"a-spec\" }"),
      ElementsAre(HasSubstr("1:10: disable belongs in the site's folder"),
                  HasSubstr("12:1: override belongs in the site's folder")));
}

TEST(LayersTest, LabelsAreChecked) {
  const auto with = [](const std::string& text) {
    return ProblemsOf(SpecText().With(9, "  look_at: \"l\"\n" + text).text());
  };
  EXPECT_THAT(with("tags: [\"escape\", \"device-model\"] mitre: [\"T1611\", \"T1499.004\"]"),
              IsEmpty());
  EXPECT_THAT(with("tags: [\"escape\",\n\"Two Words\"]"),
              ElementsAre("11:1: tags \"Two Words\" is ill-formed: write lower-case words and "
                          "digits joined by '-', at most 32 characters"));
  EXPECT_THAT(with("tags: \"a\" tags: \"a\""), ElementsAre("10:17: tags \"a\" is there twice"));
  for (const char* wrong : {"1611", "T161", "T16111", "T1499.04", "t1611", "T1611.", ""}) {
    EXPECT_THAT(with(std::string("mitre: \"") + wrong + "\""),
                ElementsAre(HasSubstr("is no technique of MITRE ATT&CK")))
        << wrong;
  }
  EXPECT_THAT(with("mode: OBSERVED"),
              ElementsAre("10:7: mode: no value OBSERVED; one of ALERT, OBSERVE"));
}

// An observed spec reports nothing that an alert of another would not have to say.
TEST(LayersTest, AnObservedSpecShadowsNone) {
  const std::string observed =
      SpecText().With(2, "id: \"b\"").With(9, "look_at: \"l\" mode: OBSERVE").text();
  EXPECT_THAT(ProblemsOf(SpecText().text() + observed), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
