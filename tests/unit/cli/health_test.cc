#include "sensor/cli/health.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

#include "tests/unit/cli/from_text.h"

namespace kvmsentry {
namespace {

std::vector<Finding> FindingsOfText(const std::string& text) {
  return FindingsOf(FromText<v1::GetStatusResponse>(text), absl::FromUnixSeconds(100));
}

Health HealthOfText(const std::string& text) { return HealthOf(FindingsOfText(text)); }

TEST(Health, IsThatOfTheWorstFinding) {
  EXPECT_EQ(HealthOfText("last_tick { seconds: 99 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("last_tick { seconds: 90 }"), Health::kCritical);
  EXPECT_EQ(HealthOfText("vms_unwatched: 1"), Health::kWarning);
  EXPECT_EQ(HealthOfText("vms_hidden: 1 vms_unwatched: 1"), Health::kCritical);
  EXPECT_EQ(HealthOfText("faults { severity: CRITICAL }"), Health::kCritical);
  EXPECT_EQ(HealthOfText("faults { severity: WARNING }"), Health::kWarning);
  EXPECT_EQ(HealthOfText("hooks { name: 'a' coverage: DEGRADED reason: 'r' }"), Health::kOk)
      << "no spec needs it";
  const std::string spec = "specs { coverage: DEGRADED reason: 'a: r' }";
  EXPECT_EQ(HealthOfText("hooks { name: 'a' coverage: DEGRADED reason: 'r' }" + spec),
            Health::kWarning);
}

TEST(Health, OnlyALossOfNowThatMattersIsAWarning) {
  EXPECT_EQ(HealthOfText("losses { reason: 'x' count: 9 matters: true }"), Health::kOk)
      << "an earlier run's, or hours old";
  EXPECT_EQ(HealthOfText("losses { reason: 'late_tick' count: 9 recent: 1 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("losses { reason: 'x' count: 9 recent: 1 matters: true }"),
            Health::kWarning);
}

// As of an AMD host, on which kvm_intel's tracepoints are not raised, and of one without KVM.
TEST(Health, OnlyAHookThatFailedIsAWarning) {
  const std::string specs = "specs { coverage: UNOBSERVABLE reason: 'kvm_cr: r' }";
  const auto health_with = [&specs](const std::string& lack) {
    return HealthOfText(specs + "hooks { name: 'kvm_cr' coverage: UNOBSERVABLE reason: 'r' " +
                        lack + "}");
  };
  for (const char* expected : {"NOT_APPLICABLE", "MODULE_MISSING", "SWITCHED_OFF"}) {
    EXPECT_EQ(health_with(absl::StrCat("lack: ", expected)), Health::kOk) << expected;
  }
  EXPECT_EQ(health_with("lack: FAILED"), Health::kWarning);
  EXPECT_EQ(health_with(""), Health::kWarning);
}

TEST(Health, ACauseOfManyHooksIsOneFinding) {
  std::string hooks;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&hooks, "hooks { name: 'kvm_", i, "' coverage: UNOBSERVABLE ",
                    "lack: MODULE_MISSING reason: 'module kvm not loaded' }");
  }
  const auto findings = FindingsOfText(hooks);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text, "not loaded: kvm: no spec");
}

TEST(Health, ModulesThatAreNotLoadedAreOneFindingThatCountsEachSpecOnce) {
  const auto findings = FindingsOfText(R"(
      hooks { name: 'a' coverage: UNOBSERVABLE lack: MODULE_MISSING
              reason: 'module vhost not loaded, or not in this kernel' }
      hooks { name: 'b' coverage: UNOBSERVABLE lack: MODULE_MISSING
              reason: 'module vfio not loaded, or not in this kernel' }
      specs { point: K4 coverage: UNOBSERVABLE reason: 'a: x; b: y' }
      specs { point: R5 coverage: UNOBSERVABLE reason: 'b: y' })");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text, "not loaded: vfio, vhost: 2 specs of K4 R5");
  EXPECT_EQ(findings[0].health, Health::kOk);
}

TEST(Health, HooksThatFailAlikeAreOneFinding) {
  const auto findings = FindingsOfText(R"(
      hooks { name: 'kvm_a' coverage: UNOBSERVABLE lack: FAILED reason: 'cannot load kvm_a_prog' }
      hooks { name: 'kvm_b' coverage: UNOBSERVABLE lack: FAILED reason: 'cannot load kvm_b_prog' }
      specs { point: K3 coverage: UNOBSERVABLE reason: 'kvm_a: x; kvm_b: y' })");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text, "1 spec of K3 not seen: cannot load kvm_a_prog (kvm_a, kvm_b)");
}

TEST(Health, HooksThatFailAlikeByOtherVariantsAreOneFinding) {
  const auto findings = FindingsOfText(R"(
      hooks { name: 'kvm_a' coverage: UNOBSERVABLE lack: FAILED
              reason: 'fentry: programs on functions are refused: No; kprobe: no kprobes' }
      hooks { name: 'kvm_b' coverage: UNOBSERVABLE lack: FAILED
              reason: 'fexit: programs on functions are refused: No' }
      specs { point: K3 coverage: UNOBSERVABLE reason: 'kvm_a: x' }
      specs { point: K2 coverage: UNOBSERVABLE reason: 'kvm_b: y' })");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].text,
            "2 specs of K2 K3 not seen: programs on functions are refused: No; kprobe: no kprobes "
            "(kvm_a, kvm_b)");
}

TEST(Health, HooksThatSeeLessForOneReasonAreOneFinding) {
  constexpr char kOne[] = R"(
      hooks { name: 'kvm_a' coverage: DEGRADED lack: FAILED reason: 'at system calls: not threads' }
      specs { point: K3 coverage: DEGRADED reason: 'kvm_a: x' })";
  const auto one = FindingsOfText(kOne);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].text, "1 spec of K3 seen in part: at system calls: not threads (kvm_a)");
  const auto two = FindingsOfText(absl::StrCat(kOne, R"(
          hooks { name: 'kvm_b' coverage: DEGRADED lack: FAILED reason: 'at system calls: not files' }
          specs { point: K5 coverage: DEGRADED reason: 'kvm_b: x' })"));
  ASSERT_EQ(two.size(), 1U);
  EXPECT_EQ(two[0].text, "2 specs of K3 K5 seen in part: at system calls (kvm_a, kvm_b)")
      << "what each misses, status --hooks says";
  const auto why = FindingsOfText(R"(
          hooks { name: 'kvm_a' coverage: DEGRADED lack: FAILED
                  reason: 'at system calls: not threads; fentry: refused here; kprobe: not there' }
          hooks { name: 'kvm_b' coverage: DEGRADED lack: FAILED
                  reason: 'at system calls: not files; fexit: refused here' }
          specs { point: K5 coverage: DEGRADED reason: 'kvm_b: x' })");
  ASSERT_EQ(why.size(), 1U);
  EXPECT_EQ(why[0].text, "1 spec of K5 seen in part: at system calls; refused here (kvm_a, kvm_b)");
}

TEST(Health, OpenAlertsCountUnlessTheyAreSilenced) {
  EXPECT_EQ(HealthOfText("open_alerts { severity: NOTICE count: 9 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("open_alerts { severity: WARNING count: 1 }"), Health::kWarning);
  EXPECT_EQ(HealthOfText("open_alerts { severity: CRITICAL count: 1 }"), Health::kCritical);
  EXPECT_EQ(HealthOfText("open_alerts { severity: CRITICAL silenced: 1 }"), Health::kOk);
  EXPECT_EQ(HealthOfText("faults { severity: CRITICAL silenced_by: 3 }"), Health::kOk);
}

}  // namespace
}  // namespace kvmsentry
