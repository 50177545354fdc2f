#include "sensor/daemon/tamper.h"

#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

VmCounts Counts(uint64_t serial, uint64_t pio) {
  VmCounts counts;
  counts.vm = {serial};
  counts.count[KS_METER_PIO] = pio;
  return counts;
}

TEST(Tamper, ACountThatGoesBackIsOne) {
  const std::vector before = {Counts(1, 10), Counts(2, 20)};
  EXPECT_FALSE(WentBack({}, before));
  EXPECT_FALSE(WentBack(before, before));
  EXPECT_FALSE(WentBack(before, std::vector{Counts(2, 21), Counts(1, 10), Counts(3, 0)}));
  EXPECT_FALSE(WentBack(before, {}));
  EXPECT_TRUE(WentBack(before, std::vector{Counts(2, 19), Counts(1, 10)}));
}

TEST(Tamper, AVmThatWasMetTwiceWithoutABirthWasForgotten) {
  std::vector<ks_vm_row> rows(2);
  rows[0].kvm = 0x1000;
  rows[0].serial = 1;
  rows[0].state = KS_VM_ALIVE;
  EXPECT_FALSE(WasForgotten(rows, 0));
  rows[1] = rows[0];
  rows[1].serial = 2;
  EXPECT_TRUE(WasForgotten(rows, 0));
  rows[1].born_seen = 1;  // the address was used again
  EXPECT_FALSE(WasForgotten(rows, 0));
}

}  // namespace
}  // namespace kvmsentry
