// What a scenario expects, and whether it came.
#include <algorithm>

#include "absl/strings/match.h"

#include "sensor/base/glob.h"
#include "tests/scenario/stage.h"

namespace kvmsentry::scenario {
namespace {

// Raised by the engine itself, of any library.
constexpr char kScoreBand[] = "score-band";

// Who is said to have done it.
std::string ByOf(const v1::Alert& alert) {
  const auto by = alert.evidence().find("by");
  return by == alert.evidence().end() ? "" : by->second;
}

bool HasEvidence(const v1::Alert& alert, const std::string& part) {
  return part.empty() || std::ranges::any_of(alert.evidence(), [&](const auto& one) {
           return absl::StrContains(absl::StrCat(one.first, " ", one.second), part);
         });
}

}  // namespace

bool Holds(const Count& count, const v1::VmStatus& vm) {
  const auto counted = CountOf(vm, count.feature());
  if (!counted) return false;  // missing is not zero
  if (count.has_exactly() && *counted != count.exactly()) return false;
  return !count.has_at_least() || *counted >= count.at_least();
}

bool Stage::Fits(const AlertPattern& pattern, const v1::Alert& alert) const {
  // The name that the scenario knows it by. Several VMs of one process end in #2, #3.
  std::string vm = alert.vm().name();
  const std::string ending = Name("");
  const size_t at = vm.find(ending);
  if (at == std::string::npos) return false;  // not ours
  vm.erase(at, ending.size());
  const bool spared = std::ranges::any_of(
      pattern.but(), [&](const std::string& but) { return GlobMatch(but, alert.spec_id()); });
  return !spared && GlobMatch(pattern.vm(), vm) && GlobMatch(pattern.spec(), alert.spec_id()) &&
         (pattern.state() == v1::Alert::STATE_UNSPECIFIED || pattern.state() == alert.state()) &&
         (pattern.severity() == v1::SEVERITY_UNSPECIFIED ||
          pattern.severity() == alert.severity()) &&
         absl::StrContains(alert.summary(), pattern.says()) &&
         absl::StrContains(ByOf(alert), pattern.by()) && HasEvidence(alert, pattern.evidence());
}

absl::Status Stage::WaitForAlert(const AlertPattern& pattern) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (size_t next = 0;;) {
    for (; next < alerts_->alerts().size(); ++next) {
      if (Fits(pattern, alerts_->alerts()[next])) return absl::OkStatus();
    }
    // Heartbeats come all the time, so that each Read alone says nothing.
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("no alert ", pattern.ShortDebugString()));
    }
    KVMSENTRY_RETURN_IF_ERROR(alerts_->Read(deadline - absl::Now()).status());
  }
}

absl::Status Stage::WaitForCount(const Count& count) {
  return WaitForVm(Name(count.vm()), [&](const auto& vm) { return Holds(count, vm); }).status();
}

absl::Status Stage::WaitForCoverage(const CoverageOf& coverage) {
  std::string found = "unknown";
  const auto compare = [&](const std::string& name, const auto& status, const std::string& own) {
    if (name != own) return false;
    found = absl::StrCat(v1::Coverage_Name(status.coverage()), ": ", status.reason());
    return status.coverage() == coverage.is();
  };
  const bool is = WaitUntil([&] {
    const auto status = cli().Status();
    if (!status.ok()) return false;
    return std::ranges::any_of(
               status->hooks(),
               [&](const auto& h) { return compare(coverage.hook(), h, h.name()); }) ||
           std::ranges::any_of(status->specs(),
                               [&](const auto& s) { return compare(coverage.spec(), s, s.id()); });
  });
  if (is) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat(coverage.ShortDebugString(), ", but it is ", found));
}

void Stage::ExpectNoAlert(const AlertPattern& pattern,
                          const std::vector<v1::SpecInfo>& specs) const {
  const bool known = std::ranges::any_of(
      specs, [&](const v1::SpecInfo& spec) { return GlobMatch(pattern.spec(), spec.id()); });
  if (!known && !GlobMatch(pattern.spec(), kScoreBand)) {
    ADD_FAILURE() << "the library has no spec \"" << pattern.spec() << "\": its alerts never come";
  }
  for (const v1::Alert& alert : alerts_->alerts()) {
    if (Fits(pattern, alert)) ADD_FAILURE() << "an alert that must not be: " << alert.summary();
  }
}

void Stage::CheckExpectations() {
  const Expect& expect = scenario_->expect();
  for (const AlertPattern& pattern : expect.alert())
    EXPECT_EQ(WaitForAlert(pattern), absl::OkStatus());
  for (const Count& count : expect.count()) EXPECT_EQ(WaitForCount(count), absl::OkStatus());
  for (const CoverageOf& of : expect.coverage()) EXPECT_EQ(WaitForCoverage(of), absl::OkStatus());
  ASSERT_OK(alerts_->ReadUpTo(absl::Now()));
  EXPECT_TRUE(alerts_->gaps().empty()) << "alerts were lost on their way to the subscriber";
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::SpecInfo> specs, cli().Specs());
  for (const AlertPattern& pattern : expect.no_alert()) ExpectNoAlert(pattern, specs);
}

}  // namespace kvmsentry::scenario
