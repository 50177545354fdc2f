// Why vCPUs leave their guests. Needs a back end that raises kvm_exit and a vendor's types.
#include <numeric>

#include <gmock/gmock.h>

#include "absl/strings/match.h"

#include "sensor/source/kvm/exits.h"
#include "sensor/source/kvm/members.h"
#include "tests/bpf/fixture.h"
#include "tests/guest/layout.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kOperations = 3000;

// Of a guest's only vCPU.
VcpuExits ExitsOf(const KvmTables& tables, VmId vm) {
  for (const ks_vcpu_row& vcpu : tables.vcpus()) {
    auto exits = ReadExits(vcpu, tables.exits_of(vcpu.slot));
    if (exits && exits->vm == vm) return *std::move(exits);
  }
  ADD_FAILURE() << "no exits of VM " << vm.serial;
  return {};
}

// By either vendor's name.
uint64_t CountOf(const VcpuExits& exits, absl::string_view svm, absl::string_view vmx) {
  for (const auto& [member, count] : exits.by_reason) {
    const absl::string_view name = NameOfMember(kVmExit, member);
    if (name == absl::StrCat("svm:", svm) || name == absl::StrCat("vmx:", vmx)) return count;
  }
  return 0;
}

uint64_t Sum(const VcpuExits& exits) {
  uint64_t sum = 0;
  for (const auto& [member, count] : exits.by_reason) sum += count;
  return sum;
}

class ExitTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  virtual std::vector<absl::string_view> Objects() const { return {"life", "exit", "inject"}; }

  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = Objects();
    Load({{"kvm_exit", {GetParam()}}});
  }

  void Run(absl::string_view behaviour) {
    ASSERT_OK_AND_ASSIGN(
        const FinishedGuest guest,
        RunGuest(absl::StrCat(behaviour, " --count ", operations_, " --then exit")));
    ASSERT_EQ(guest.report.operations, operations_);
    counts_ = CountsOf(guest.pid);
    exits_ = ExitsOf(tables(), counts_.vm);
    EXPECT_EQ(Sum(exits_), counts_.count[KS_METER_EXIT]);
    // The first entry comes before the first exit, the last exit after the last entry.
    EXPECT_EQ(counts_.count[KS_METER_ENTRY], counts_.count[KS_METER_EXIT]);
    ExpectNoLosses();
  }

  uint64_t operations_ = kOperations;
  std::vector<uint32_t> MsrsWritten() {
    for (const KvmTables::Members& members : tables().TakeMembers()) {
      if (members.vm == counts_.vm) return members.msrs_written;
    }
    return {};
  }

  KvmCounts counts_;
  VcpuExits exits_;
};

INSTANTIATE_TEST_SUITE_P(By, ExitTest,
                         ::testing::Values(Variant::kTpBtf, Variant::kRawTp, Variant::kTp),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

// What else the guest makes KVM do. The cheapest variant stands for all: each object takes its time
// to load where the kernel is emulated.
class RequestTest : public ExitTest {
 protected:
  std::vector<absl::string_view> Objects() const override {
    return {"life", "exit", "request", "control", "interrupt"};
  }
};

INSTANTIATE_TEST_SUITE_P(By, RequestTest, ::testing::Values(Variant::kTpBtf),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(ExitTest, PortAccesses) {
  Run("--behaviour pio");
  EXPECT_EQ(CountOf(exits_, "io", "IO_INSTRUCTION"), kOperations);
}

TEST_P(ExitTest, Cpuid) {
  Run("--behaviour cpuid");
  EXPECT_EQ(CountOf(exits_, "cpuid", "CPUID"), kOperations);
}

TEST_P(ExitTest, Halts) {
  Run("--behaviour userspace-exit");
  EXPECT_GE(CountOf(exits_, "hlt", "HLT"), kOperations);
}

TEST_P(ExitTest, RefusedMsrsAndTheirExceptions) {
  Run("--behaviour msr --msr 0xdead0000");
  EXPECT_EQ(CountOf(exits_, "msr", "MSR_WRITE"), kOperations);
  EXPECT_EQ(counts_.count[KS_METER_EXCEPTION], kOperations);
}

TEST_P(ExitTest, HaltsInsideTheKernel) {
  operations_ = 100;
  Run("--behaviour timer");
  EXPECT_EQ(CountOf(exits_, "hlt", "HLT"), operations_);
  EXPECT_EQ(counts_.count[KS_METER_INTERRUPT], operations_);
  EXPECT_EQ(counts_.last[KS_METER_INTERRUPT], 0x40U);
}

// AMD's only: the guest's code is.
TEST_P(ExitTest, EntriesIntoAGuestOfTheGuest) {
  Run("--behaviour nested");
  EXPECT_EQ(counts_.count[KS_METER_NESTED_ENTRY], kOperations);
  EXPECT_EQ(CountOf(exits_, "vmrun", "VMLAUNCH"), kOperations);
  EXPECT_EQ(CountOf(exits_, "hypercall", "VMCALL"), kOperations);  // the inner guest's way back
}

TEST_P(RequestTest, ExitsOfAGuestOfTheGuest) {
  Run("--behaviour nested");
  // A host interrupt ends a run of the inner guest, too.
  EXPECT_GE(counts_.count[KS_METER_NESTED_EXIT], kOperations);
  EXPECT_LT(counts_.count[KS_METER_NESTED_EXIT], 2 * kOperations);
}

TEST_P(RequestTest, Hypercalls) {
  Run("--behaviour hypercall --value 1");
  EXPECT_EQ(counts_.count[KS_METER_HYPERCALL], kOperations);
  EXPECT_EQ(counts_.last[KS_METER_HYPERCALL], 1U);
  uint64_t seen = 0;
  for (const KvmTables::Members& members : tables().TakeMembers()) {
    if (members.vm == counts_.vm) seen = members.hypercalls;
  }
  EXPECT_EQ(seen, 1U << 1);
}

TEST_P(RequestTest, HypercallsThatKvmDoesNotKnowAreOneMember) {
  Run("--behaviour hypercall --value 4711");
  EXPECT_EQ(counts_.count[KS_METER_HYPERCALL], kOperations);
  EXPECT_EQ(counts_.last[KS_METER_HYPERCALL], 4711U);
  for (const KvmTables::Members& members : tables().TakeMembers()) {
    if (members.vm != counts_.vm) continue;
    EXPECT_EQ(members.hypercalls, uint64_t{1} << 63);
  }
}

TEST_P(RequestTest, EntriesIntoSystemManagementMode) {
  Run("--behaviour smi --memory-kib 256");
  EXPECT_EQ(counts_.count[KS_METER_SMM], kOperations);
}

TEST_P(RequestTest, WritesOfControlRegisters) {
  Run("--behaviour control");
  EXPECT_EQ(counts_.count[KS_METER_CONTROL_WRITE], kOperations);
  EXPECT_EQ(counts_.last[KS_METER_CONTROL_WRITE], 4U);
}

// Its memory is not mapped before it is touched.
TEST_P(RequestTest, PageFaultsAsOftenAsTheProcessorSaysSo) {
  Run("--behaviour cpuid");
  EXPECT_GT(counts_.count[KS_METER_PAGE_FAULT], 0U);
  EXPECT_EQ(counts_.count[KS_METER_PAGE_FAULT], CountOf(exits_, "npf", "EPT_VIOLATION"));
  EXPECT_EQ(counts_.count[KS_METER_HYPERCALL], 0U);
  EXPECT_EQ(counts_.count[KS_METER_CONTROL_WRITE], 0U);
}

// The hardware lets it write LSTAR unseen: one exit in KS_EXIT_SAMPLE finds it changed.
TEST_P(ExitTest, AChangedLstarIsAMember) {
  Run("--behaviour lstar");
  EXPECT_THAT(MsrsWritten(), ::testing::ElementsAre(0xc0000082U));
}

// Nothing, then something for a thousand exits, then nothing again.
TEST_P(ExitTest, AnLstarThatIsEmptiedIsAMember) {
  Run("--behaviour lstar --value 0x400");
  EXPECT_THAT(MsrsWritten(), ::testing::ElementsAre(0xc0000082U));
}

TEST_P(RequestTest, AnLstarThatStaysIsNone) {
  Run("--behaviour pio");
  EXPECT_THAT(MsrsWritten(), ::testing::IsEmpty());
  EXPECT_EQ(counts_.count[KS_METER_IRQ_LINE], 0U);
  EXPECT_EQ(counts_.count[KS_METER_IRQ_MSI], 0U);
}

// One exit in KS_EXIT_SAMPLE, the first included, is timed until the next entry.
TEST_P(ExitTest, TimesASampleOfExits) {
  Run("--behaviour cpuid");
  const uint64_t timed = std::accumulate(exits_.log2_ns.begin(), exits_.log2_ns.end(), uint64_t{0});
  const uint64_t exits = counts_.count[KS_METER_EXIT];
  EXPECT_GE(timed, exits / KS_EXIT_SAMPLE);
  EXPECT_LE(timed, exits / KS_EXIT_SAMPLE + 1);
}

TEST_P(ExitTest, KnowsWhereTheGuestWas) {
  Run("--behaviour cpuid");
  ASSERT_TRUE(exits_.sample.has_value());
  const ExitSample& sample = *exits_.sample;
  // What VMX keeps in the processor may be unknown, but never wrong.
  if (sample.rip) {
    EXPECT_GE(*sample.rip, guest::kCodeAddress);
    EXPECT_LT(*sample.rip, guest::kCodeAddress + guest::kPageSize);
  }
  EXPECT_EQ(sample.cr3.value_or(guest::kPageTablesAddress), guest::kPageTablesAddress);
  EXPECT_EQ(sample.cpl.value_or(0), 0U);
  const absl::string_view reason = NameOfMember(kVmExit, sample.reason);
  EXPECT_NE(reason, "");
  if (!absl::StartsWith(reason, "svm:")) return;
  EXPECT_TRUE(sample.rip && sample.cr3 && sample.cpl);
}

TEST_P(ExitTest, EachReasonIsAMemberOnce) {
  Run("--behaviour cpuid");
  const auto seen = [this] {
    std::vector<std::string> names;
    for (const KvmTables::Members& members : tables().TakeMembers()) {
      if (members.vm != counts_.vm) continue;
      for (const uint32_t exit : members.exits) {
        names.emplace_back(NameOfMember(kVmExit, exit));
      }
    }
    return names;
  };
  EXPECT_THAT(seen(), ::testing::Contains(::testing::AnyOf("svm:cpuid", "vmx:CPUID")));
  EXPECT_THAT(seen(), ::testing::IsEmpty());
}

// The same guest seen by all variants at once.
TEST_F(BpfTest, AllVariantsOfTheExitAgree) {
  std::vector<std::unique_ptr<Sources>> all;
  std::vector<std::string> roots;
  for (const Variant variant : {Variant::kTpBtf, Variant::kRawTp, Variant::kTp}) {
    ProbeOptions options = options_;
    options.pin_root = absl::StrCat(options_.pin_root, "-", VariantName(variant));
    for (const Hook& hook : Hooks()) {
      if (hook.bpf != "life" && hook.bpf != "exit") {
        options.variants[std::string(hook.name)] = {};
      }
    }
    options.variants["kvm_exit"] = {variant};
    ASSERT_OK_AND_ASSIGN(auto sources, Sources::Open(options));
    all.push_back(std::move(sources));
    roots.push_back(options.pin_root);
  }
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --vcpus 1 --count 3000 --then exit"));
  std::vector<std::map<uint32_t, uint64_t>> seen;
  for (const auto& sources : all) {
    const KvmTables& tables = sources->kvm().tables();
    for (const ks_vm_row& row : tables.vms()) {
      if (row.serial == 0 || row.creator_pid != static_cast<uint32_t>(guest.pid)) continue;
      seen.push_back(ExitsOf(tables, {row.serial}).by_reason);
    }
  }
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
  all.clear();
  for (const std::string& root : roots) EXPECT_EQ(Unpin(root), absl::OkStatus());
}

}  // namespace
}  // namespace kvmsentry
