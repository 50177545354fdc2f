// Each problem that lint knows: the line that has it, and what is said where.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;

struct Case {
  std::string name;
  size_t line;
  std::string instead;
  std::vector<std::string> problems;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.instead; }

class LintTest : public testing::TestWithParam<Case> {};

TEST_P(LintTest, SaysWhatIsWrongAndWhere) {
  const std::string text = SpecText().With(GetParam().line, GetParam().instead).text();
  EXPECT_THAT(ProblemsOf(text), ElementsAreArray(GetParam().problems)) << text;
}

TEST(LintTest, AGoodSpecHasNoProblem) { EXPECT_THAT(ProblemsOf(SpecText().text()), IsEmpty()); }

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }

const std::string kLong(201, 'x');
const std::string kMembers =
    "port, msr, exit_reason, vm_exit, hypercall, page, ioctl, vhost_ioctl, vfio_ioctl, state, "
    "taker, program, connection, client, image, code, signal, call, syscall, runner, manager, "
    "device, right, protection, slot, ring, service, memory, registers, opener, disk, buffer, "
    "file, socket, panic, monitor";
const std::string kIllFormed =
    " is ill-formed: write lower-case words and digits joined by '-', at most 64 characters";

INSTANTIATE_TEST_SUITE_P(
    Identity, LintTest,
    testing::ValuesIn(std::vector<Case>{
        {"IdMissing", 2, "", {"1:1: id is missing: name the spec, for example \"pio-storm\""}},
        {"IdEmpty", 2, "  id: \"\"", {"2:3: id \"\"" + kIllFormed}},
        {"IdUpperCase", 2, "  id: \"Pio\"", {"2:3: id \"Pio\"" + kIllFormed}},
        {"IdDoubleDash", 2, "  id: \"a--b\"", {"2:3: id \"a--b\"" + kIllFormed}},
        {"IdDashAtEnd", 2, "  id: \"a-\"", {"2:3: id \"a-\"" + kIllFormed}},
        {"IdTooLong",
         2,
         "  id: \"" + std::string(65, 'a') + "\"",
         {"2:3: id \"" + std::string(65, 'a') + "\"" + kIllFormed}},
        {"IdLongest", 2, "  id: \"" + std::string(64, 'a') + "\"", {}},
        {"IdReserved",
         2,
         "  id: \"score-band\"",
         {"2:3: id \"score-band\" is reserved for alerts of the engine's own"}},
        {"IdOfTheSensor",
         2,
         "  id: \"self-ring\"",
         {"2:3: id \"self-ring\" is reserved: alerts of the sensor itself begin with \"self-\""}},
        {"IdTwice", 2, "  id: \"a\" id: \"b\"", {"2:11: id is given more than once"}},
        {"PointMissing", 3, "", {"1:1: point is missing: give it one of K1 to K7, R1 to R5"}},
        {"PointZero", 3, "  point: 0", {"3:3: point is none of K1 to K7, R1 to R5"}},
        {"PointUnknownNumber", 3, "  point: 9", {"3:3: point is none of K1 to K7, R1 to R5"}},
        {"PointUnknownName",
         3,
         "  point: K9",
         {"3:10: point: no value K9; one of K1, K2, K3, K4, K5, K6, K7, R1, R2, R3, R4, R5"}},
        {"FeatureMissing",
         4,
         "",
         {"1:1: feature is missing: name a feature of the catalogue, for example \"pio.rate\""}},
        {"FeatureUnknown",
         4,
         "  feature: \"pio.rat\"",
         {"4:3: unknown feature \"pio.rat\"; did you mean \"pio.rate\"?"}},
        {"FeatureOfAnotherPoint",
         3,
         "  point: K3",
         {"4:3: feature \"pio.rate\" does not belong to point K3; it belongs to K2, R5"}},
    }),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Ranges, LintTest,
    testing::ValuesIn(std::vector<Case>{
        {"NormMissing",
         5,
         "",
         {"1:1: norm is missing: give it max, min, burst, allow, deny or max_members"}},
        {"NormEmpty",
         5,
         "  norm {}",
         {"5:3: norm says nothing: give it max, min, burst, allow, deny or max_members"}},
        {"TwoKinds",
         5,
         "  norm { max: 1 burst { count: 1 milliseconds: 1 } }",
         {"5:3: norm is of more than one kind: max, burst; split the spec"}},
        {"AllowAndDeny",
         5,
         "  norm { allow { port: \"1\" } deny { port: \"2\" } }",
         {"5:3: norm is of more than one kind: allow, deny; split the spec"}},
        {"SetNormOfARate",
         5,
         "  norm { deny { port: \"1\" } }",
         {"5:10: deny does not fit feature \"pio.rate\", a rate: give the norm max, min or burst"}},
        {"VarietyOfARate",
         5,
         "  norm { max_members: 5 }",
         {"5:10: max_members does not fit feature \"pio.rate\", a rate: give the norm max, min or "
          "burst"}},
        {"RangeNormOfASet",
         4,
         "  feature: \"pio.port\"",
         {"5:10: max does not fit feature \"pio.port\", a set: give the norm allow, deny or "
          "max_members"}},
        {"MaxBelowMin",
         5,
         "  norm { max: 3 min: 5 }",
         {"5:17: min 5 is above max 3: nothing would be normal"}},
        {"MaxIsMin", 5, "  norm { max: 3 min: 3 }", {}},
        {"MinOfNothing",
         5,
         "  norm { min: 0 }",
         {"5:10: min 0 without max: everything would be normal"}},
        {"NaN", 5, "  norm { max: nan }", {"5:10: max is nan; it must be from 0 to 1000000000000"}},
        {"Infinite",
         5,
         "  norm { max: inf }",
         {"5:10: max is inf; it must be from 0 to 1000000000000"}},
        {"Overflowing",
         5,
         "  norm { max: 1e400 }",
         {"5:10: max is inf; it must be from 0 to 1000000000000"}},
        {"Negative",
         5,
         "  norm { min: -1 }",
         {"5:10: min is -1; it must be from 0 to 1000000000000"}},
        {"ClearAboveMax",
         5,
         "  norm { max: 10 clear: 11 }",
         {"5:18: clear 11 is above max 10: an alert would clear while it goes on"}},
        {"ClearBelowMin",
         5,
         "  norm { min: 10 clear: 9 }",
         {"5:18: clear 9 is below min 10: an alert would clear while it goes on"}},
        {"ClearNegative",
         5,
         "  norm { max: 10 clear: -1 }",
         {"5:18: clear is -1; it must be from 0 to 1000000000000"}},
        {"ClearOfBoth",
         5,
         "  norm { max: 10 min: 1 clear: 5 }",
         {"5:25: clear with both max and min: it can't be both sides'"}},
        {"ClearAlone", 5, "  norm { clear: 5 }", {"5:10: clear needs a max or a min"}},
        {"ClearAtMax", 5, "  norm { max: 10 clear: 10 }", {}},
        {"BurstOfNone",
         5,
         "  norm { burst { count: 0 milliseconds: 10 } }",
         {"5:18: burst count is 0; it must be from 1 to 1000000000000"}},
        {"BurstWithoutTime",
         5,
         "  norm { burst { count: 1 } }",
         {"5:10: burst milliseconds is 0; it must be from 1 to 10000"}},
        {"BurstTooLong",
         5,
         "  norm { burst { count: 1 milliseconds: 10001 } }",
         {"5:27: burst milliseconds is 10001; it must be from 1 to 10000"}},
        {"WindowTooShort",
         5,
         "  norm { max: 1 } window { milliseconds: 9 }",
         {"5:19: window is 9ms; it must be from 10ms to 1h"}},
        {"WindowTooLong",
         5,
         "  norm { max: 1 } window { seconds: 3600 milliseconds: 1 }",
         {"5:19: window is 1h0.001s; it must be from 10ms to 1h"}},
        {"WindowEmpty",
         5,
         "  norm { max: 1 } window {}",
         {"5:19: window is 0; it must be from 10ms to 1h"}},
        {"WindowLongest", 5, "  norm { max: 1 } window { seconds: 3600 }", {}},
        {"WindowShortest", 5, "  norm { max: 100 } window { milliseconds: 10 }", {}},
        {"LessThanOneInAWindow",
         5,
         "  norm { max: 5 } window { milliseconds: 100 }",
         {"5:10: warning: max 5 is less than one in a window: any would deviate; write max 0 if "
          "that is meant, else widen the window to 1s"}},
        {"NoneAtAll", 5, "  norm { max: 0 } window { milliseconds: 100 }", {}},
        {"BurstBeyondAnyHost",
         5,
         "  norm { burst { count: 1000000000000 milliseconds: 1000 } }",
         {"5:18: burst of 1000000000000 in 1000ms: no host is that fast, so no alert would "
          "ever open"}},
        {"BurstOfAFastHost", 5, "  norm { burst { count: 999999999 milliseconds: 1 } }", {}},
        {"UnitOfTheFeature", 5, "  norm { max: 10 unit: \"1/s\" }", {}},
        {"AnotherUnit",
         5,
         "  norm { max: 10 unit: \"1/min\" }",
         {"5:18: unit \"1/min\" is not that of feature \"pio.rate\": its norm is in \"1/s\""}},
        {"WindowNegative",
         5,
         "  norm { max: 1 } window { seconds: -1 }",
         {"5:19: window is negative; it must be from 10ms to 1h"}},
        {"WindowNegativeInPart",
         5,
         "  norm { max: 1 } window { seconds: 1 milliseconds: -1 }",
         {"5:19: window is negative; it must be from 10ms to 1h"}},
    }),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    WeightAndTexts, LintTest,
    testing::ValuesIn(std::vector<Case>{
        {"WeightMissing",
         6,
         "",
         {"1:1: weight is missing: say how many points a deviation adds to the VM's score, 1 to "
          "100"}},
        {"WeightZero", 6, "  weight: 0", {"6:3: weight is 0; it must be from 1 to 100"}},
        {"WeightTooHigh", 6, "  weight: 101", {"6:3: weight is 101; it must be from 1 to 100"}},
        {"WeightNegative", 6, "  weight: -1", {"6:3: weight is -1; it must be from 1 to 100"}},
        {"WeightHighest", 6, "  weight: 100", {}},
        {"WeightNoNumber", 6, "  weight: \"30\"", {"6:11: Expected integer, got: \"30\""}},
        {"WeightTooLarge",
         6,
         "  weight: 99999999999",
         {"6:11: Integer out of range (99999999999)"}},
        {"SeverityMissing",
         7,
         "",
         {"1:1: severity is missing: give it INFO, NOTICE, WARNING or CRITICAL"}},
        {"SeverityZero",
         7,
         "  severity: SEVERITY_UNSPECIFIED",
         {"7:3: severity is none of INFO, NOTICE, WARNING, CRITICAL"}},
        {"SeverityUnknown",
         7,
         "  severity: WARN",
         {"7:13: severity: no value WARN; one of INFO, NOTICE, WARNING, CRITICAL"}},
        {"WhyMissing", 8, "", {"1:1: why is missing: say in one sentence why it matters"}},
        {"WhyBlank", 8, "  why: \" \"", {"8:3: why is empty: say in one sentence why it matters"}},
        {"WhyTooLong",
         8,
         "  why: \"" + kLong + "\"",
         {"8:3: why is 201 characters long; at most 200"}},
        {"WhyOfLongCharacters", 8, "  why: \"" + kLong.substr(1) + "\"", {}},
        {"WhyWithControls",
         8,
         "  why: \"a\\033[31m\"",
         {"8:3: why holds a control or formatting character, or is no UTF-8"}},
        {"WhyNoUtf8",
         8,
         "  why: \"a\\377\"",
         {"8:3: why holds a control or formatting character, or is no UTF-8"}},
        {"WhyWithBackslash", 8, "  why: \"HKLM\\\\SAM\"", {}},
        {"LookAtMissing",
         9,
         "",
         {"1:1: look_at is missing: say in one sentence where to look next"}},
        {"LookAtTooLong",
         9,
         "  look_at: \"" + kLong + "\"",
         {"9:3: look_at is 201 characters long; at most 200"}},
        {"UnknownField",
         9,
         "  look_at: \"x\" color: \"red\"",
         {"9:16: spec: no field \"color\"; one of id, point, feature, select, window, norm, "
          "weight, "
          "severity, why, look_at, except, for, hold, tags, mitre, mode"}},
        {"MistypedFieldIsNotMissing",
         9,
         "  lookat: \"x\"",
         {"9:3: spec: no field \"lookat\"; did you mean \"look_at\"?"}},
        {"EmptyPattern",
         9,
         "  look_at: \"x\" select { vm: [\"a\", \"\"] }",
         {"9:35: empty pattern for vm; write \"*\" for any"}},
        {"UuidInUpperCase",
         9,
         "  look_at: \"x\" select { uuid: \"8A*\" }",
         {"9:31: no VM can match uuid \"8A*\": a uuid is written in lower-case hexadecimal digits "
          "and '-'"}},
        {"UuidTooShort",
         9,
         "  look_at: \"x\" select { uuid: \"8a\" }",
         {"9:31: no VM can match uuid \"8a\": a uuid has 36 characters; write '*' for any run of "
          "them"}},
        {"WholeUuid",
         9,
         "  look_at: \"x\" select { uuid: \"01234567-89ab-cdef-0123-456789abcde?\" }",
         {}},
        {"CgroupWithoutRoot",
         9,
         "  look_at: \"x\" select { cgroup: \"machine.slice/*\" }",
         {"9:33: no VM can match cgroup \"machine.slice/*\": the path of a cgroup begins with "
          "'/'"}},
        {"UnknownVmm",
         9,
         "  look_at: \"x\" select { vmm: [\"qemu\", \"xen*\"] }",
         {"9:39: no VM can match vmm \"xen*\": it is one of qemu, cloud-hypervisor, firecracker, "
          "crosvm, unknown"}},
        {"PartOfAVmm", 9, "  look_at: \"x\" select { vmm: \"cloud-*\" }", {}},
        {"LongPattern",
         9,
         "  look_at: \"x\" select { vm: \"" + std::string(257, '*') + "\" }",
         {"9:29: pattern for vm is 257 bytes long; at most 256"}},
        {"PatternWithControls",
         9,
         "  look_at: \"x\" select { cgroup: \"\\n\" }",
         {"9:33: pattern for cgroup holds a control or formatting character, or is no UTF-8"}},
    }),
    NameOf);

TEST(LintTest, PatternsAreBounded) {
  const std::string patterns = absl::StrJoin(std::vector<std::string>(65, "\"a\""), ",");
  EXPECT_THAT(
      ProblemsOf(SpecText().With(9, "look_at: \"x\" select { vm: [" + patterns + "] }").text()),
      ElementsAreArray({"9:23: select has 65 patterns for vm; at most 64"}));
}

// Of a set of guest pages.
TEST(LintTest, PagesAreWhole) {
  const auto problems = [](absl::string_view page) {
    return ProblemsOf(SpecText()
                          .With(4, "  feature: \"mmio.page\"")
                          .With(5, absl::StrCat("  norm { deny { page: \"", page, "\" } }"))
                          .text());
  };
  EXPECT_THAT(problems("0xfed00000"), IsEmpty());
  EXPECT_THAT(problems("0xfe000000-0xfe003fff"), IsEmpty());
  EXPECT_THAT(
      problems("0xfed00010"),
      ElementsAreArray({"5:23: \"0xfed00010\" is not of whole guest pages: give where one of "
                        "0x1000 begins, or a range to the last byte of one"}));
  EXPECT_THAT(problems("0xfe000000-0xfe003000"),
              ElementsAreArray({"5:23: \"0xfe000000-0xfe003000\" is not of whole guest pages: give "
                                "where one of 0x1000 begins, or a range to the last byte of one"}));
}

// Of a set: line 4 names the feature, line 5 has the case's norm.
class SetLintTest : public testing::TestWithParam<Case> {};

TEST_P(SetLintTest, SaysWhatIsWrongAndWhere) {
  const std::string text =
      SpecText().With(4, "  feature: \"pio.port\"").With(5, GetParam().instead).text();
  EXPECT_THAT(ProblemsOf(text), ElementsAreArray(GetParam().problems)) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Sets, SetLintTest,
    testing::ValuesIn(std::vector<Case>{
        {"Good", 5, "  norm { allow { port: [\"0x60-0x64\", \"com1\"] port: \"1016\" } }", {}},
        {"NoMember", 5, "  norm { allow {} }", {"5:10: allow names no member"}},
        {"MistypedMember",
         5,
         "  norm { allow { prot: \"1\" } }",
         {"5:18: allow: no field \"prot\"; did you mean \"port\"?"}},
        {"UnknownMember",
         5,
         "  norm { deny: { colour: \"1\" } }",
         {"5:18: deny: no field \"colour\"; one of " + kMembers}},
        {"MistypedKind",
         5,
         "  norm { alow { port: \"1\" } }",
         {"5:10: norm: no field \"alow\"; did you mean \"allow\"?"}},
        {"Variety", 5, "  norm { max_members: 4096 }", {}},
        {"NoVariety",
         5,
         "  norm { max_members: 0 }",
         {"5:10: max_members is 0; it must be from 1 to 4096"}},
        {"TooMuchVariety",
         5,
         "  norm { max_members: 4097 }",
         {"5:10: max_members is 4097; it must be from 1 to 4096"}},
        {"VarietyPerVcpu",
         5,
         "  norm { max_members: 5 per: VCPU }",
         {"5:25: per does not fit allow, deny or max_members: a set is the VM's"}},
        {"BurstOfASet",
         5,
         "  norm { burst { count: 1 milliseconds: 1 } }",
         {"5:10: burst does not fit feature \"pio.port\", a set: give the norm allow, deny or "
          "max_members"}},
        {"AllowsAll",
         5,
         "  norm { allow { port: [\"0x8000-0xffff\", \"0-0x8fff\"] } }",
         {"5:10: allow names every member: everything would be normal"}},
        {"AllowsAllInParts",
         5,
         "  norm { allow { port: [\"0-100\", \"101-0xffff\"] } }",
         {"5:10: allow names every member: everything would be normal"}},
        {"OtherField",
         5,
         "  norm { deny { msr: \"LSTAR\" port: \"1\" } }",
         {"5:17: msr is not the field of feature \"pio.port\"; write port"}},
        {"FieldOfAnIoctl",
         5,
         "  norm { deny { ioctl: \"vm:CREATE_VCPU\" port: \"1\" } }",
         {"5:17: ioctl is not the field of feature \"pio.port\"; write port"}},
        {"UnknownName",
         5,
         "  norm { deny { port: [\"com1\", \"com9\"] } }",
         {"5:32: \"com9\" is no port: give a number, a range or a known name, like 0x3f8, "
          "0x60-0x64 or com1"}},
        {"BeyondTheField",
         5,
         "  norm { deny { port: \"0x10000\" } }",
         {"5:23: \"0x10000\" is beyond the last port, 0xffff"}},
        {"Inverted",
         5,
         "  norm { deny { port: \"9-8\" } }",
         {"5:23: range \"9-8\" is inverted: write the smaller number first"}},
        {"NumberWithoutQuotes",
         5,
         "  norm { deny { port: [\"0x60\", 0x64] } }",
         {"5:32: Expected string, got: 0x64"}},
    }),
    NameOf);

}  // namespace
}  // namespace kvmsentry
