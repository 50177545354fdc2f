// A second opinion: perf counts the same tracepoints of the same guest. And it still can, beside
// programs on classic tracepoints, which could take its events from it.
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "tests/bpf/fixture.h"
#include "tests/support/host.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

constexpr char kEvents[] = "kvm:kvm_pio,kvm:kvm_mmio,kvm:kvm_msr,kvm:kvm_userspace_exit";

// Of `perf stat -x,`: lines of "COUNT,UNIT,EVENT,...".
std::map<std::string, uint64_t> ReadPerf(const std::string& path) {
  std::map<std::string, uint64_t> counts;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    uint64_t count = 0;
    if (fields.size() > 2 && absl::SimpleAtoi(fields[0], &count)) counts[fields[2]] = count;
  }
  return counts;
}

class PerfTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    Load(Force(GetParam()));
    ASSERT_OK_AND_ASSIGN(directory_, TempDir::Make());
  }

  // Runs a guest under perf: what perf and the meters counted of it.
  void Run(absl::string_view behaviour, std::map<std::string, uint64_t>* perf, KvmCounts* counts) {
    const std::string file = *directory_ / "perf";
    ASSERT_OK_AND_ASSIGN(
        const FinishedGuest guest,
        RunGuest(behaviour, {"perf", "stat", "-x,", "-o", file, "-e", kEvents, "--"}));
    *perf = ReadPerf(file);
    ASSERT_EQ(perf->size(), 4U) << "is linux-perf installed?";
    *counts = CountsOf(guest.pid);
    EXPECT_EQ((*perf)["kvm:kvm_userspace_exit"], counts->count[KS_METER_USERSPACE_EXIT]);
    ExpectNoLosses();
  }

  std::optional<TempDir> directory_;
};

INSTANTIATE_TEST_SUITE_P(By, PerfTest, ::testing::Values(Variant::kTpBtf, Variant::kTp),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(PerfTest, AgreesOnPortWrites) {
  std::map<std::string, uint64_t> perf;
  KvmCounts counts;
  // Where tasks are preempted amid programs, one of two vCPUs on a processor may be skipped.
  const uint64_t vcpus = GetParam() == Variant::kTpBtf && KernelPreemptsPrograms() ? 1 : 2;
  Run(absl::StrCat("--behaviour pio --count 2000 --then exit --vcpus ", vcpus), &perf, &counts);
  EXPECT_EQ(perf["kvm:kvm_pio"], vcpus * 2000);
  EXPECT_EQ(counts.count[KS_METER_PIO], vcpus * 2000);
}

TEST_P(PerfTest, SeesAnMmioReadTwice) {
  std::map<std::string, uint64_t> perf;
  KvmCounts counts;
  Run("--behaviour mmio --direction read --count 2000 --then exit", &perf, &counts);
  EXPECT_EQ(perf["kvm:kvm_mmio"], 4000U);
  EXPECT_EQ(counts.count[KS_METER_MMIO], 2000U);
}

TEST_P(PerfTest, AgreesOnMsrWrites) {
  std::map<std::string, uint64_t> perf;
  KvmCounts counts;
  Run("--behaviour msr --count 2000 --then exit", &perf, &counts);
  EXPECT_EQ(perf["kvm:kvm_msr"], counts.count[KS_METER_MSR]);
}

}  // namespace
}  // namespace kvmsentry
