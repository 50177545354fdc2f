#include "sensor/source/kvm/exits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/kvm/exit_reason.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class ExitsTest : public ::testing::Test {
 protected:
  ExitsTest() {
    vcpus_[1].vm_serial = 7;
    vcpus_[1].vcpu_index = 3;
    rows_[1].isa = KS_ISA_SVM;
  }

  VcpuExits Only() {
    std::vector<VcpuExits> all;
    for (size_t i = 0; i < 3; ++i) {
      if (auto exits = ReadExits(vcpus_[i], rows_[i])) all.push_back(*std::move(exits));
    }
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? VcpuExits{} : all.front();
  }

  ks_vcpu_row vcpus_[3] = {};
  ks_exit_row rows_[3] = {};
};

TEST_F(ExitsTest, CountsByReasonOfTheVendor) {
  rows_[1].reasons[0x78] = 5;
  rows_[1].reasons[KS_EXIT_OTHER] = 1;
  const VcpuExits exits = Only();
  EXPECT_EQ(exits.vm.serial, 7U);
  EXPECT_EQ(exits.index, 3U);
  EXPECT_THAT(exits.by_reason, ElementsAre(Pair(exit_member(KS_ISA_SVM, 0x78), 5),
                                           Pair(exit_member(KS_ISA_SVM, KS_EXIT_OTHER), 1)));
  EXPECT_THAT(exits.log2_ns, IsEmpty());
  EXPECT_FALSE(exits.sample.has_value());
}

TEST_F(ExitsTest, TimesEndWithTheLastThatWasSeen) {
  rows_[1].times[2] = 4;
  rows_[1].times[4] = 6;
  EXPECT_THAT(Only().log2_ns, ElementsAre(0, 0, 4, 0, 6));
}

TEST_F(ExitsTest, ASampleSaysOnlyWhatIsKnown) {
  rows_[1].exit_ns = 1;
  rows_[1].reason = 9;
  rows_[1].rip = 0x1000;
  rows_[1].cr3 = 0x2000;
  rows_[1].cpl = 3;
  rows_[1].known = KS_KNOWN_RIP;
  const auto sample = Only().sample;
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->reason, 9U);
  EXPECT_EQ(sample->rip, 0x1000U);
  EXPECT_EQ(sample->cr3, std::nullopt);
  EXPECT_EQ(sample->cpl, std::nullopt);
  rows_[1].known = KS_KNOWN_CR3 | KS_KNOWN_CPL;
  EXPECT_EQ(Only().sample->rip, std::nullopt);
  EXPECT_EQ(Only().sample->cr3, 0x2000U);
  EXPECT_EQ(Only().sample->cpl, 3U);
}

TEST_F(ExitsTest, FreeRowsAndVcpusThatNeverLeftAreLeftOut) {
  rows_[0].isa = KS_ISA_SVM;  // of no VM any more
  vcpus_[2].vm_serial = 8;    // has not left its guest
  EXPECT_EQ(Only().vm.serial, 7U);
}

}  // namespace
}  // namespace kvmsentry
