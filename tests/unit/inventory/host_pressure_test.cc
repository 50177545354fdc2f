#include "sensor/inventory/host_pressure.h"

#include <gtest/gtest.h>

#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

TEST(HostPressureTest, ReadsWhatTheKernelTells) {
  FakeTree tree;
  tree.Write("pressure/cpu", "some avg10=12.34 avg60=5.00 avg300=1.00 total=99\n");
  tree.Write("pressure/io",
             "some avg10=7.00 avg60=5.00 avg300=1.00 total=99\n"
             "full avg10=3.50 avg60=5.00 avg300=1.00 total=99\n");
  tree.Write("pressure/memory", "nonsense\n");
  const auto all = ReadHostPressure(tree.root());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].of, "cpu");
  EXPECT_EQ(all[0].some_percent, 12.34);
  EXPECT_FALSE(all[0].full_percent.has_value());
  EXPECT_EQ(all[1].of, "io");
  EXPECT_EQ(all[1].full_percent, 3.5);
}

TEST(HostPressureTest, ThereIsNoneWithoutTheFiles) {
  const FakeTree tree;
  EXPECT_TRUE(ReadHostPressure(tree.root()).empty());
}

}  // namespace
}  // namespace kvmsentry
