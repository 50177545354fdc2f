#include "sensor/base/thousands.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(WithThousands, GroupsByThree) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1'000), "1,000");
  EXPECT_EQ(WithThousands(UINT64_MAX), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace kvmsentry
