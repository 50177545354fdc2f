// What programs cost is measured, and a hook can be left off for a while.
#include "sensor/probe/cost_meter.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kOperations = 3000;

class CostTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    objects_ = {"life", "inventory", "device"};
    if (!HasFatalFailure()) Load();
  }

  static const Hook& Named(absl::string_view name) {
    return **std::ranges::find(HookPointers(), name, &Hook::name);
  }
  const HookCoverage& CoverageOf(const Hook& hook) const {
    return *std::ranges::find(probe().coverage(), &hook, &HookCoverage::hook);
  }

  // What a guest that writes to a port so often is counted for.
  uint64_t CountedPortWrites() {
    const auto guest =
        RunGuest(absl::StrCat("--behaviour pio --count ", kOperations, " --then exit"));
    EXPECT_TRUE(guest.ok()) << guest.status();
    return guest.ok() ? CountsOf(guest->pid).count[KS_METER_PIO] : 0;
  }
};

TEST_F(CostTest, RunsAreMeasured) {
  CostMeter meter(1);
  const KernelTime begun{0};
  ASSERT_OK(meter.Begin(probe(), begun));
  EXPECT_TRUE(meter.measuring());
  EXPECT_EQ(CountedPortWrites(), kOperations);
  const std::vector<HookCost> costs = meter.End(probe(), {kNsPerSecond});
  EXPECT_FALSE(meter.measuring());
  const auto pio = std::ranges::find(costs, &Named("kvm_pio"), &HookCost::hook);
  ASSERT_NE(pio, costs.end());
  EXPECT_GE(pio->runs, kOperations);  // there may be other VMs on this host
  EXPECT_GT(pio->ns_per_run, 0);
  EXPECT_NEAR(pio->percent,
              100 * pio->ns_per_run * static_cast<double>(pio->runs) / double{kNsPerSecond}, 1e-6);
  EXPECT_FALSE(pio->optional);
}

TEST_F(CostTest, AShedHookCountsNothingUntilItIsRestored) {
  const Hook& pio = Named("kvm_pio");
  EXPECT_EQ(CountedPortWrites(), kOperations);
  ASSERT_OK(probe().Shed(pio, "too dear"));
  EXPECT_EQ(CoverageOf(pio).coverage, Coverage::kUnobservable);
  EXPECT_EQ(CoverageOf(pio).reason, "too dear");
  EXPECT_EQ(CountedPortWrites(), 0U);
  // It is off on purpose: neither a fault nor missing.
  ASSERT_OK(probe().AuditLinks());
  ASSERT_OK(probe().AttachMissing("kvm").status());
  EXPECT_EQ(CountedPortWrites(), 0U);
  ASSERT_OK(probe().Restore(pio));
  EXPECT_EQ(CoverageOf(pio).coverage, Coverage::kAttached);
  EXPECT_EQ(CoverageOf(pio).reason, "");
  EXPECT_EQ(CountedPortWrites(), kOperations);
  ExpectNoLosses();
}

}  // namespace
}  // namespace kvmsentry
