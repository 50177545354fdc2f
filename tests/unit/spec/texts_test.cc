// What a spec becomes: its values and its norm in words.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sensor/base/time.h"
#include "sensor/source/catalogue.h"
#include "sensor/spec/norm_text.h"
#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::IsEmpty;

Spec OnlySpec(const std::string& text) {
  const auto result = SpecLibrary::Parse({{"f", text}});
  EXPECT_THAT(ProblemsOf(text), IsEmpty());
  return result.library.specs().empty() ? Spec{} : result.library.specs().front();
}

TEST(SpecTest, CarriesWhatWasWritten) {
  const Spec spec = OnlySpec(R"(spec {
    id: "pio-storm" point: K2 feature: "pio.rate"
    select { vm: "web-*" vm: "db-*" vmm: ["qemu", "unknown"] } window { seconds: 2 milliseconds: 5 }
    norm { max: 20000 } weight: 30 severity: WARNING why: "Be" "cause." look_at: "Ü."
  })");
  EXPECT_EQ(spec.id, "pio-storm");
  EXPECT_EQ(spec.point, Point::kK2);
  EXPECT_EQ(spec.feature, FeatureNamed("pio.rate"));
  EXPECT_EQ(spec.select.vm, (std::vector<std::string>{"web-*", "db-*"}));
  EXPECT_EQ(spec.select.vmm, (std::vector<std::string>{"qemu", "unknown"}));
  EXPECT_EQ(spec.window_ns, 2'005 * kNsPerMs);
  EXPECT_EQ(spec.weight, 30);
  EXPECT_EQ(spec.severity, Severity::kWarning);
  EXPECT_EQ(spec.why, "Because.");
  EXPECT_EQ(spec.look_at, "Ü.");
  EXPECT_EQ(spec.norm_text, "at most 20,000/s over 2.005s");
  EXPECT_EQ(spec.selector_text, "VMs named web-* or db-*, run by qemu or unknown");
}

TEST(SpecTest, WindowIsOneSecondUnlessSaid) {
  EXPECT_EQ(OnlySpec(SpecText().text()).window_ns, kNsPerSecond);
}

TEST(SpecTest, HysteresisLeavesRoomToClearAt) {
  const struct {
    const char* norm;
    double clear_min;
    double clear_max;
  } cases[] = {
      {"norm { max: 100 }", 0, 80},         {"norm { max: 100 clear: 30 }", 0, 30},
      {"norm { max: 100 clear: 0 }", 0, 0}, {"norm { max: 0 }", 0, 0},
      {"norm { min: 100 }", 125, 0},        {"norm { min: 100 clear: 300 }", 300, 0},
      {"norm { min: 8 max: 100 }", 10, 80}, {"norm { min: 90 max: 100 }", 92.5, 97.5},
  };
  for (const auto& c : cases) {
    const Spec spec = OnlySpec(SpecText().With(5, c.norm).text());
    const auto* range = std::get_if<RangeNorm>(&spec.norm);
    ASSERT_NE(range, nullptr) << c.norm;
    EXPECT_DOUBLE_EQ(range->clear_max, c.clear_max) << c.norm;
    EXPECT_DOUBLE_EQ(range->clear_min, c.clear_min) << c.norm;
  }
}

TEST(NormTextTest, SaysRangesAndBursts) {
  const struct {
    const char* norm;
    const char* text;
  } cases[] = {
      {"norm { max: 20000 }", "at most 20,000/s over 1s"},
      {"norm { max: 999 }", "at most 999/s over 1s"},
      {"norm { max: 1234567.8 }", "at most 1,234,568/s over 1s"},
      {"norm { max: 999.9999 }", "at most 1,000/s over 1s"},
      {"norm { max: 0 }", "at most 0/s over 1s"},
      {"norm { max: 0.5 } window { seconds: 60 }", "at most 0.5/s over 1m"},
      {"norm { min: 3 } window { milliseconds: 1500 }", "at least 3/s over 1.5s"},
      {"norm { min: 10 max: 1000 }", "between 10 and 1,000/s over 1s"},
      {"norm { burst { count: 500 milliseconds: 10 } }", "at most 500 in 10ms"},
      {"norm { burst { count: 12345 milliseconds: 1000 } }", "at most 12,345 in 1s"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(OnlySpec(SpecText().With(5, c.norm).text()).norm_text, c.text);
  }
}

TEST(NormTextTest, SaysSets) {
  const struct {
    const char* point;
    const char* feature;
    const char* norm;
    const char* text;
  } cases[] = {
      {"point: K2", "feature: \"pio.port\"",
       "norm { allow { port: \"com1\" port: \"0x60-0x64\" } }",
       "allowed: ports 0x60-0x64, 0x3f8 (com1)"},
      {"point: R2", "feature: \"msr.written\"", "norm { deny { msr: \"LSTAR\" } }",
       "forbidden: MSR LSTAR (0xc0000082)"},
      {"point: R2", "feature: \"msr.written\"", "norm { deny { msr: \"0x830-0x83f\" } }",
       "forbidden: MSRs 0x830-0x83f"},
      {"point: K2", "feature: \"userspace_exit.reason\"",
       "norm { allow { exit_reason: [\"IO\", \"MMIO\", \"40-63\"] } }",
       "allowed: exit reasons IO, MMIO, 40-63"},
      {"point: K2", "feature: \"vmm.code\"", "norm { deny { code: [\"stack\", \"writable\"] } }",
       "forbidden: executable memory writable, stack"},
  };
  for (const auto& c : cases) {
    const std::string text = SpecText().With(3, c.point).With(4, c.feature).With(5, c.norm).text();
    EXPECT_EQ(OnlySpec(text).norm_text, c.text);
  }
}

TEST(NormTextTest, OfALongSetIsBounded) {
  SetNorm set;
  for (uint64_t port = 0; port < 1000; ++port) set.members.push_back({port * 2, port * 2});
  Spec spec;
  spec.norm = set;
  EXPECT_EQ(NormText(spec, *FindFeature("pio.port")),
            "forbidden: ports 0x0, 0x2, 0x4, 0x6, 0x8, 0xa, 0xc, 0xe and 992 more");
  EXPECT_THAT(NormText(spec, *FindFeature("pio.port"), TextLength::kWhole),
              testing::EndsWith(", 0x7ca, 0x7cc, 0x7ce"));
}

}  // namespace
}  // namespace kvmsentry
