#include "sensor/source/vmm/vmms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr VmmProcess kQemu = {.pid = 42, .start_ticks = 100};
constexpr VmmProcess kLater = {.pid = 42, .start_ticks = 200};

TEST(VmmsTest, AProcessHasItsVmsInTheirOrderUntilTheyAreRemoved) {
  Vmms vmms;
  vmms.Put({3}, kQemu);
  vmms.Put({1}, kQemu);
  vmms.Put({1}, kQemu);
  EXPECT_EQ(vmms.Of({1}), kQemu);
  EXPECT_THAT(vmms.Siblings({3}), ElementsAre(VmId{1}, VmId{3}));
  vmms.Remove({3});
  EXPECT_EQ(vmms.Of({3}), std::nullopt);
  EXPECT_THAT(vmms.Siblings({3}), IsEmpty());
  EXPECT_THAT(vmms.Siblings({1}), ElementsAre(VmId{1}));
}

TEST(VmmsTest, ANumberThatIsUsedAgainIsAnotherProcess) {
  Vmms vmms;
  vmms.Put({1}, kQemu);
  vmms.Put({2}, kLater);
  EXPECT_THAT(vmms.Siblings({1}), ElementsAre(VmId{1}));
  EXPECT_THAT(vmms.Siblings({2}), ElementsAre(VmId{2}));
}

TEST(VmmsTest, AVmThatIsHandedOnIsTheOtherProcesss) {
  Vmms vmms;
  vmms.Put({1}, kQemu);
  vmms.Put({1}, kLater);
  vmms.Put({2}, kQemu);
  EXPECT_THAT(vmms.Siblings({1}), ElementsAre(VmId{1}));
  EXPECT_THAT(vmms.Siblings({2}), ElementsAre(VmId{2}));
}

}  // namespace
}  // namespace kvmsentry
