// The spec language beyond rates and sets: levels, states, parts, exceptions, how long something
// lasts.
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/base/time.h"
#include "sensor/source/catalogue.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Text(absl::string_view spec) {
  return absl::StrCat(
      "spec { id: \"a\" point: R1 weight: 10 severity: WARNING why: \"w\" look_at: \"l\" ", spec,
      " }");
}

Spec OnlySpec(absl::string_view spec) {
  const auto result = SpecLibrary::Parse({{"f", Text(spec)}});
  EXPECT_THAT(ProblemsOf(Text(spec)), IsEmpty()) << spec;
  return result.library.specs().empty() ? Spec{} : result.library.specs().front();
}

TEST(LanguageTest, NormsAreSaidInWords) {
  const struct {
    const char* spec;
    const char* text;
  } cases[] = {
      {"feature: \"test.memory\" norm { max: 4096 }", "at most 4,096 MiB"},
      {"feature: \"test.share\" norm { min: 1.5 max: 20 }", "between 1.5 and 20%"},
      {"feature: \"test.memory\" norm { max_percent_of_given: 95 }",
       "at most 95% of what was given"},
      {"feature: \"test.memory\" norm { min_percent_of_given: 5 } for { seconds: 10 }",
       "at least 5% of what was given, for 10s"},
      {"feature: \"test.memory\" norm { max: 100 per: VCPU }", "at most 100 MiB per vCPU"},
      {"feature: \"test.state\" norm { deny { state: \"stuck\" } }", "forbidden: state stuck"},
      {"feature: \"test.state\" norm { allow { state: [\"idle\", \"running\"] } }",
       "allowed: states idle, running"},
      {"feature: \"test.unlimited.rate\" norm { max: 5000 per: VCPU }",
       "at most 5,000/s per vCPU over 1s"},
  };
  for (const auto& c : cases) EXPECT_EQ(OnlySpec(c.spec).norm_text, c.text);
}

TEST(LanguageTest, CarriesWhatWasWritten) {
  const Spec spec = OnlySpec(
      "feature: \"test.vcpu.rate\" norm { max: 5 } select { part: \"vcpu-*\" } "
      "except { vm: \"db-*\" } except { part: \"vcpu-0\" vmm: \"qemu\" } "
      "for { seconds: 2 } hold { seconds: 3 milliseconds: 500 }");
  EXPECT_EQ(spec.patience.for_ns, 2 * kNsPerSecond);
  EXPECT_EQ(spec.patience.hold_ns, 3'500 * kNsPerMs);
  EXPECT_EQ(
      spec.selector_text,
      "parts vcpu-* of all VMs, except VMs named db-*, except parts vcpu-0 of VMs run by qemu");
  VmFacts facts;
  facts.given_name = "web-1";
  facts.vmm = "qemu";
  EXPECT_TRUE(spec.Selects(facts, "vcpu-1"));
  EXPECT_FALSE(spec.Selects(facts, "vcpu-0"));
  EXPECT_FALSE(spec.Selects(facts, ""));
  facts.given_name = "db-1";
  EXPECT_FALSE(spec.Selects(facts, "vcpu-1"));
}

TEST(LanguageTest, WhatFitsHasNoProblem) {
  for (const char* spec : {
           "feature: \"test.memory\" norm { max: 5 clear: 3 } hold { seconds: 1 }",
           "feature: \"test.memory\" norm { max_percent_of_given: 90 clear: 80 }",
           "feature: \"test.state\" norm { deny { state: \"stuck\" } } for { seconds: 86400 }",
           "feature: \"test.disk.memory\" norm { max: 5 } select { part: [\"disk-sd[ab]\", \"*\"] "
           "}",
           "feature: \"test.unlimited.rate\" norm { max: 5 }",
       }) {
    EXPECT_THAT(ProblemsOf(Text(spec)), IsEmpty()) << spec;
  }
}

TEST(LanguageTest, WhatDoesNotFitIsAProblem) {
  const struct {
    const char* spec;
    const char* problem;
  } cases[] = {
      {"feature: \"test.unlimited.rate\" norm { max_percent_of_given: 5 }",
       "max_percent_of_given does not fit feature \"test.unlimited.rate\", a rate"},
      {"feature: \"test.memory\" norm { burst { count: 1 milliseconds: 1 } }",
       "burst does not fit feature \"test.memory\", a level"},
      {"feature: \"test.memory\" norm { deny { state: \"idle\" } }",
       "deny does not fit feature \"test.memory\", a level"},
      {"feature: \"test.state\" norm { max: 1 }",
       "max does not fit feature \"test.state\", a state"},
      {"feature: \"test.state\" norm { deny { state: \"asleep\" } }",
       "\"asleep\" is no test state"},
      {"feature: \"test.state\" norm { deny { port: \"1\" } }", "write state"},
      {"feature: \"test.share\" norm { max_percent_of_given: 5 }",
       "nobody knows what a VM was given of \"test.share\""},
      {"feature: \"test.memory\" norm { max: 1 max_percent_of_given: 5 }",
       "norm is of more than one kind: max, max_percent_of_given"},
      {"feature: \"test.memory\" norm { max_percent_of_given: 5 per: VCPU }", "per VCPU with"},
      {"feature: \"test.state\" norm { deny { state: \"idle\" } per: VCPU }", "per does not fit"},
      {"feature: \"test.vcpu.rate\" norm { max: 5 per: VCPU }", "of each vcpu already"},
      {"feature: \"test.memory\" norm { max: 1 } window { seconds: 1 }",
       "window does not fit feature \"test.memory\", which has a value at each moment"},
      {"feature: \"test.memory\" norm { max: 1 } for { milliseconds: 1 }",
       "for is 1ms; it must be from 10ms to 24h"},
      {"feature: \"test.memory\" norm { max: 1 } hold { seconds: -1 }", "hold is negative"},
      {"feature: \"test.unlimited.rate\" norm { max: 5 } select { part: \"vcpu-1\" }",
       "is observed of the whole VM, not of its parts"},
      {"feature: \"test.vcpu.rate\" norm { max: 5 } select { part: \"disk-*\" }",
       "are called vcpu-..."},
      {"feature: \"test.vcpu.rate\" norm { max: 5 } select { part: \"vcpu\" }",
       "are called vcpu-..."},
      {"feature: \"test.memory\" norm { max: 1 } except { }", "except names nothing"},
      {"feature: \"test.memory\" norm { max: 1 } except { vm: \"*\" }",
       "except takes away all that the spec selects"},
      {"feature: \"test.memory\" norm { max: 1 } select { vm: \"a\" } except { vm: \"a\" }",
       "except takes away all that the spec selects"},
      {"feature: \"test.memory\" norm { max: 1 } select { vm: \"solo[1-3\" }",
       "its '[' is not closed"},
      {"feature: \"test.memory\" norm { max: 1 } except { vm: \"[3-1]\" }",
       "its range in brackets is inverted"},
      {"feature: \"test.unlimited.rate\" norm { burst { count: 5 milliseconds: 10 } }",
       "the kernel has no limit for it"},
      {"feature: \"test.vcpu.rate\" norm { burst { count: 5 milliseconds: 10 } } "
       "for { seconds: 1 }",
       "for does not fit burst"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(ProblemsOf(Text(c.spec)), ElementsAre(HasSubstr(c.problem))) << c.spec;
  }
}

// Each kind of members that a set has is a field of the language, and each field such a kind.
TEST(LanguageTest, EveryKindOfASetHasAFieldAndEveryFieldAKind) {
  std::set<std::string> keys = {"state"};
  for (const Feature& feature : Catalogue()) {
    if (feature.kind == FeatureKind::kSet && feature.source != static_cast<SourceId>(100)) {
      keys.insert(std::string(feature.member->key));
    }
  }
  std::set<std::string> fields;
  const auto* members = v1::Members::descriptor();
  for (int i = 0; i < members->field_count(); ++i) fields.insert(members->field(i)->name());
  EXPECT_EQ(fields, keys);
}

// Of two specs of which the first could leave the second nothing to report.
std::vector<std::string> Shadow(absl::string_view first, absl::string_view second) {
  const auto spec = [](absl::string_view id, absl::string_view rest) {
    return absl::StrCat("spec { id: \"", id,
                        "\" point: R1 feature: \"test.memory\" weight: 10 severity: WARNING "
                        "why: \"w\" look_at: \"l\" ",
                        rest, " }\n");
  };
  return ProblemsOf(spec("a", first) + spec("b", second));
}

TEST(LanguageTest, ShadowingKnowsHowLongWhoAndWhat) {
  EXPECT_THAT(Shadow("norm { max: 5 }", "norm { max: 9 } for { seconds: 1 }"),
              ElementsAre(HasSubstr("is shadowed by \"a\"")));
  EXPECT_THAT(Shadow("norm { max: 5 } for { seconds: 1 }", "norm { max: 9 }"), IsEmpty());
  EXPECT_THAT(Shadow("norm { max: 5 } except { vm: \"a\" }", "norm { max: 9 }"), IsEmpty());
  EXPECT_THAT(
      Shadow("norm { max: 5 } except { vm: \"a\" }", "norm { max: 9 } except { vm: \"a\" }"),
      ElementsAre(HasSubstr("is shadowed")));
  EXPECT_THAT(Shadow("norm { max: 5 }", "norm { max_percent_of_given: 9 }"), IsEmpty());
  EXPECT_THAT(Shadow("norm { max: 5 per: VCPU }", "norm { max: 9 }"), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
