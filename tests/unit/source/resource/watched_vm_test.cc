#include "sensor/source/resource/watched_vm.h"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// A VM with one vCPU, from pass to pass, each of which takes a second.
class ResourceVmTest : public ::testing::Test {
 protected:
  ResourceVmTest() {
    row_.known = KS_KNOWN_PROCESS | KS_KNOWN_MEMORY_GROUP;
    row_.tgid = 7;
    row_.memory_limit = 100 * kMiB;
    row_.memory_used = 50 * kMiB;
    vcpu_.vm_serial = 1;
    vcpu_.tid = 8;
    vcpu_.state = KS_VCPU_HALTED;
  }

  void Pass() {
    row_.begun += kNsPerSecond;
    row_.ended = row_.time_ns = row_.begun;
    vcpu_.begun = vcpu_.ended = row_.begun;
    vm_.BeginTaps();
    vm_.TakeVm(row_);
    vm_.TakeDisks(&disks_);
    vm_.TakeVcpu(3, vcpu_);
    ResourceWriter write({static_cast<int64_t>(row_.ended)}, {}, &reading_);
    vm_.Observe(write);
  }
  // Two passes: what has come of it is known from the second on.
  void Settle() {
    Pass();
    Pass();
  }

  ResourceVm vm_{{1}, 2};
  ks_resource_vm row_ = {};
  ks_resource_vcpu vcpu_ = {};
  ks_resource_disks disks_ = {};
  Reading reading_;
};

TEST_F(ResourceVmTest, OneThatHasWhatItNeedsIsShortOfNothing) {
  EXPECT_FALSE(vm_.IsShort()) << "nothing is known yet";
  Settle();
  EXPECT_FALSE(vm_.IsShort());
  EXPECT_FALSE(vm_.IsStarved());
  EXPECT_TRUE(vm_.Waiting().empty());
  EXPECT_EQ(vm_.pid(), 7);
}

TEST_F(ResourceVmTest, OneNearItsMemoryLimitIsShort) {
  row_.memory_used = 89 * kMiB;
  Settle();
  EXPECT_FALSE(vm_.IsShort());
  row_.memory_used = 91 * kMiB;
  Pass();
  EXPECT_TRUE(vm_.IsShort());
  row_.memory_limit = KS_NO_LIMIT;
  Pass();
  EXPECT_FALSE(vm_.IsShort()) << "without a limit none is near";
}

TEST_F(ResourceVmTest, OneThatWasHeldBackSinceThePassBeforeIsShort) {
  Settle();
  ++row_.high_events;
  Pass();
  EXPECT_TRUE(vm_.IsShort());
  Pass();
  EXPECT_FALSE(vm_.IsShort());
  ++row_.max_events;
  Pass();
  EXPECT_TRUE(vm_.IsShort());
}

TEST_F(ResourceVmTest, OneWhoseVcpuWaitsForAProcessorIsShortAndByAndByStarved) {
  Settle();
  for (int pass = 0; pass < 3; ++pass) {
    EXPECT_FALSE(vm_.IsStarved());
    vcpu_.run += kNsPerSecond / 2;
    vcpu_.delay += kNsPerSecond / 2;
    Pass();
    EXPECT_TRUE(vm_.IsShort());
    ASSERT_EQ(vm_.Waiting().size(), 1U);
    EXPECT_EQ(vm_.Waiting()[0].tid, 8U);
  }
  EXPECT_TRUE(vm_.IsStarved());
  vcpu_.run += kNsPerSecond;
  Pass();
  EXPECT_FALSE(vm_.IsStarved());
  EXPECT_FALSE(vm_.IsShort());
}

TEST_F(ResourceVmTest, OneWhoseDiskIsSlowWaitsForIt) {
  ks_resource_disk& disk = disks_.disks[0];
  disk.device = 8 << 20;
  disk.reads = 1;
  Settle();
  disk.latencies[9] += 1000;  // half a second of quick ones
  Pass();
  EXPECT_FALSE(vm_.IsShort());
  disk.latencies[15] += 4;  // 32 ms each
  Pass();
  EXPECT_TRUE(vm_.IsShort());
}

// A request that never ends is in no histogram.
TEST_F(ResourceVmTest, OneWhoseVcpuIsBlockedInTheKernelWaitsForADisk) {
  Settle();
  vcpu_.state = KS_VCPU_BLOCKED;
  Pass();
  EXPECT_TRUE(vm_.IsShort());
}

}  // namespace
}  // namespace kvmsentry
