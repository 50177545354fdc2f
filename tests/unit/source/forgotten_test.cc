#include <gtest/gtest.h>

#include "sensor/source/kvm/tables.h"

namespace kvmsentry {
namespace {

TEST(WasMetTwiceTest, AVmThatWasMetAgainWithoutABirthIs) {
  ks_vm_row row{};
  row.kvm = 0x1000;
  row.serial = 1;
  row.state = KS_VM_ALIVE;
  ks_vm_row latest = row;
  EXPECT_FALSE(WasMetTwice(row, latest));
  latest.serial = 2;
  EXPECT_TRUE(WasMetTwice(row, latest));
  latest.born_seen = 1;  // the address was used again
  EXPECT_FALSE(WasMetTwice(row, latest));
  latest.born_seen = 0;
  latest.kvm = 0x2000;
  EXPECT_FALSE(WasMetTwice(row, latest));
}

}  // namespace
}  // namespace kvmsentry
