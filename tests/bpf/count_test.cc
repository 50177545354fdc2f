// What is counted is exactly what a guest of known behaviour did, whatever variant counts.
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kOperations = 3000;

class CountTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    Load(Force(GetParam()));
  }

  // Runs a guest of one VM and one vCPU to its end; its counts are EXPECTED, what is not named is
  // 0, and the exits to user space are as many as the guest saw itself.
  void Expect(absl::string_view behaviour, std::map<ks_kvm_meter, uint64_t> expected) {
    ASSERT_OK_AND_ASSIGN(
        const FinishedGuest guest,
        RunGuest(absl::StrCat(behaviour, " --count ", kOperations, " --then exit")));
    ASSERT_EQ(guest.report.operations, kOperations);
    expected[KS_METER_USERSPACE_EXIT] = guest.report.vcpus[0].Exits();
    const KvmCounts counts = CountsOf(guest.pid);
    for (uint32_t meter = 0; meter < KS_KVM_METERS; ++meter) {
      if (meter == KS_METER_EXIT || meter == KS_METER_ENTRY) continue;  // not every back end
      EXPECT_EQ(counts.count[meter], expected[static_cast<ks_kvm_meter>(meter)])
          << "meter " << meter;
    }
    EXPECT_EQ(VmRow(counts.slot).born_seen, 1U);
    ExpectNoLosses();
  }
};

INSTANTIATE_TEST_SUITE_P(By, CountTest,
                         ::testing::Values(Variant::kTpBtf, Variant::kRawTp, Variant::kTp),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(CountTest, PortWrites) { Expect("--behaviour pio", {{KS_METER_PIO, kOperations}}); }

TEST_P(CountTest, AccessesToPciConfigurationApartFromOthers) {
  Expect("--behaviour pio --port 0xcfc", {{KS_METER_PCI_CONFIG, kOperations}});
}

TEST_P(CountTest, PortReads) {
  Expect("--behaviour pio --direction in --width 4", {{KS_METER_PIO, kOperations}});
}

TEST_P(CountTest, ElementsOfStringReads) {
  Expect("--behaviour pio --direction in --rep 1000", {{KS_METER_PIO, kOperations}});
}

TEST_P(CountTest, ElementsOfStringWrites) {
  Expect("--behaviour pio --direction out --rep 1000", {{KS_METER_PIO, kOperations}});
}

TEST_P(CountTest, MmioWrites) { Expect("--behaviour mmio", {{KS_METER_MMIO, kOperations}}); }

// Each fires the tracepoint twice.
TEST_P(CountTest, MmioReads) {
  Expect("--behaviour mmio --direction read --width 8", {{KS_METER_MMIO, kOperations}});
}

TEST_P(CountTest, WritesToAKnownMsr) {
  Expect("--behaviour msr --msr 0x17a", {{KS_METER_MSR, kOperations}});
}

TEST_P(CountTest, AccessesToAnUnknownMsrAndTheirFaults) {
  const std::map<ks_kvm_meter, uint64_t> both = {{KS_METER_MSR, kOperations},
                                                 {KS_METER_MSR_FAULT, kOperations},
                                                 {KS_METER_EXCEPTION, kOperations}};
  Expect("--behaviour msr --msr 0xdead0000", both);
  Expect("--behaviour msr --msr 0xdead0000 --direction read", both);
}

TEST_P(CountTest, Halts) { Expect("--behaviour userspace-exit", {}); }

// Each halt ends by an interrupt of the guest's own timer; not every back end tells of it. A host
// that is slow to come to the halt finds the interrupt there already, and then KVM does not wait.
TEST_P(CountTest, HaltsInsideTheKernel) {
  constexpr uint64_t kHalts = 200;
  ASSERT_OK_AND_ASSIGN(
      const FinishedGuest guest,
      RunGuest(absl::StrCat("--behaviour timer --count ", kHalts, " --then exit")));
  const KvmCounts counts = CountsOf(guest.pid);
  EXPECT_LE(counts.count[KS_METER_HALT], kHalts);
  EXPECT_GE(counts.count[KS_METER_HALT], kHalts / 2);
  ExpectNoLosses();
}

TEST_P(CountTest, NothingOfASpinningGuest) { Expect("--behaviour spin", {}); }

}  // namespace
}  // namespace kvmsentry
