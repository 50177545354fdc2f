// Programs whose tracepoints no back end at hand raises: loaded, attached, and run by hand.
#include <bpf/bpf.h>

#include "sensor/probe/bpf_object.h"
#include "sensor/source/kvm/bpf.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

class TestRunTest : public BpfTest, public ::testing::WithParamInterface<const char*> {};

// This task has no vCPU: that the program asked for one shows as a loss, and nothing was counted.
TEST_P(TestRunTest, RunsOnceByHand) {
  objects_ = {"life"};
  Load();
  const std::string program = absl::StrCat(GetParam(), "_raw_tp");
  ASSERT_OK_AND_ASSIGN(BpfObject object, BpfObject::Open(KvmBpf(), probe().plan()));
  ASSERT_OK(object.Load({program}));
  ASSERT_OK(object.Attach(program));
  const uint64_t before = tables().losses().unattributed;
  uint64_t arguments[12] = {0xfe000000};  // the most that a tracepoint has
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  run.ctx_in = arguments;
  run.ctx_size_in = sizeof(arguments);
  ASSERT_EQ(bpf_prog_test_run_opts(object.ProgramFd(program), &run), 0);
  EXPECT_EQ(tables().losses().unattributed - before, 1U);
}

INSTANTIATE_TEST_SUITE_P(Of, TestRunTest, ::testing::Values("kvm_fast_mmio", "kvm_cr"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace kvmsentry
