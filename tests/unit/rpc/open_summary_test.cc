#include "sensor/rpc/open_summary.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

AlertPtr Open(uint64_t vm, const std::string& spec, Severity severity, int64_t opened_at = 0) {
  auto alert = std::make_shared<JournaledAlert>();
  alert->event.vm.id = {vm};
  alert->event.vm.name = vm == 0 ? "" : "vm" + std::to_string(vm);
  alert->event.spec_id = spec;
  alert->event.severity = severity;
  alert->opened_at = absl::FromUnixSeconds(opened_at);
  return alert;
}

OpenSummary Some() {
  const std::vector<AlertPtr> open = {
      Open(1, "a", Severity::kWarning),          Open(1, "b", Severity::kCritical, 1),
      Open(1, "c", Severity::kCritical, 2),      Open(1, "quiet", Severity::kCritical, 3),
      Open(2, "a", Severity::kWarning),          Open(3, "quiet", Severity::kInfo),
      Open(0, "self-cost", Severity::kCritical), Open(0, "self-quiet", Severity::kCritical)};
  return OpenSummary(open, [](const AlertEvent& event) {
    return event.spec_id.find("quiet") != std::string::npos ? uint64_t{7} : uint64_t{0};
  });
}

TEST(OpenSummary, CountsBySeverityWhatIsHeardAndWhatIsSilenced) {
  v1::GetStatusResponse status;
  status.add_faults()->set_id("self-cost");
  status.add_faults()->set_id("self-quiet");
  Some().FillStatus(status);
  ASSERT_EQ(status.open_alerts_size(), 3);
  EXPECT_EQ(status.open_alerts(0).ShortDebugString(),
            R"(severity: CRITICAL count: 2 silenced: 1 vm: "vm1")");
  EXPECT_EQ(status.open_alerts(1).ShortDebugString(),
            R"(severity: WARNING count: 2 vm: "vm1" vm: "vm2")");
  EXPECT_EQ(status.open_alerts(2).ShortDebugString(), "severity: INFO silenced: 1");
  EXPECT_EQ(status.faults(0).silenced_by(), 0U);
  EXPECT_EQ(status.faults(1).silenced_by(), 7U);
}

TEST(OpenSummary, OfAVmTheNewestOfTheWorst) {
  v1::VmStatus first, third, other;
  Some().FillVm(1, first);
  EXPECT_EQ(first.worst_severity(), v1::CRITICAL);
  EXPECT_EQ(first.worst_spec(), "c");
  EXPECT_EQ(first.silenced_alerts(), 1U);
  Some().FillVm(3, third);
  EXPECT_EQ(third.worst_severity(), v1::SEVERITY_UNSPECIFIED);
  EXPECT_EQ(third.silenced_alerts(), 1U);
  Some().FillVm(9, other);
  EXPECT_EQ(other.ShortDebugString(), "");
}

}  // namespace
}  // namespace kvmsentry
