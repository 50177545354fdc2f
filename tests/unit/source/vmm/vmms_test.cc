#include "sensor/source/vmm/vmms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr VmmProcess kQemu = {.pid = 42, .start_ticks = 100};
constexpr VmmProcess kLater = {.pid = 42, .start_ticks = 200};
constexpr VmmProcess kOther = {.pid = 43, .start_ticks = 300};

TEST(VmmsTest, AProcessHasItsVmsInTheirOrderUntilTheyAreRemoved) {
  Vmms vmms;
  vmms.Put({3}, kQemu);
  vmms.Put({1}, kQemu);
  vmms.Put({1}, kQemu);
  EXPECT_THAT(vmms.Of({1}), ElementsAre(kQemu));
  EXPECT_THAT(vmms.VmsOf(kQemu), ElementsAre(VmId{1}, VmId{3}));
  vmms.Remove({3});
  EXPECT_THAT(vmms.Of({3}), IsEmpty());
  EXPECT_THAT(vmms.VmsOf(kQemu), ElementsAre(VmId{1}));
}

TEST(VmmsTest, ANumberThatIsUsedAgainIsAnotherProcess) {
  Vmms vmms;
  vmms.Put({1}, kQemu);
  vmms.Put({2}, kLater);
  EXPECT_THAT(vmms.VmsOf(kQemu), ElementsAre(VmId{1}));
  EXPECT_THAT(vmms.VmsOf(kLater), ElementsAre(VmId{2}));
}

TEST(VmmsTest, WhoHadAVmFirstKeepsItBesideTheLatest) {
  Vmms vmms;
  vmms.Put({1}, kQemu);
  vmms.Put({1}, kLater);
  vmms.Put({1}, kOther);
  EXPECT_THAT(vmms.Of({1}), ElementsAre(kQemu, kOther));
  EXPECT_THAT(vmms.VmsOf(kLater), IsEmpty());
  vmms.Put({1}, kQemu);
  EXPECT_THAT(vmms.Of({1}), ElementsAre(kQemu));
  EXPECT_THAT(vmms.VmsOf(kOther), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
