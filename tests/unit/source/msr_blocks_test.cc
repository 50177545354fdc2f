#include "sensor/source/kvm/msr_blocks.h"

#include <gtest/gtest.h>

#include "bpf/kvm/msr_bit.h"

namespace kvmsentry {
namespace {

TEST(MsrBlocksTest, EveryBitIsOneMsrAndBack) {
  for (uint32_t bit = 0; bit < KS_MSR_BITS; ++bit) EXPECT_EQ(msr_bit(MsrOfBit(bit)), bit);
}

TEST(MsrBlocksTest, EveryMsrOfABlockHasItsBitAndItsNeighboursHaveNone) {
  const struct {
    uint32_t first;
    uint32_t size;
  } blocks[] = {{KS_MSR_LOW, KS_MSR_BLOCK},
                {KS_MSR_HIGH, KS_MSR_BLOCK},
                {KS_MSR_AMD, KS_MSR_BLOCK},
                {KS_MSR_HYPERV, KS_MSR_BLOCK / 2},
                {KS_MSR_KVM, KS_MSR_BLOCK / 2}};
  for (const auto& block : blocks) {
    for (uint32_t msr = block.first; msr < block.first + block.size; ++msr) {
      ASSERT_LT(msr_bit(msr), uint32_t{KS_MSR_BITS}) << std::hex << msr;
      EXPECT_EQ(MsrOfBit(msr_bit(msr)), msr);
    }
    EXPECT_EQ(msr_bit(block.first + block.size), uint32_t{KS_MSR_BITS});
    EXPECT_EQ(msr_bit(block.first - 1), uint32_t{KS_MSR_BITS});
  }
  EXPECT_EQ(msr_bit(0xdead0000), uint32_t{KS_MSR_BITS});
}

}  // namespace
}  // namespace kvmsentry
