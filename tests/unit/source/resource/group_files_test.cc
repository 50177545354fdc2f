#include "sensor/source/resource/group_files.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(ParsePressureTest, TakesTotals) {
  const auto stalls = ParsePressure(
      "some avg10=0.00 avg60=0.12 avg300=0.05 total=123456\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=789\n");
  ASSERT_TRUE(stalls.ok()) << stalls.status();
  EXPECT_EQ(stalls->some_us, 123456U);
  EXPECT_EQ(stalls->full_us, 789U);
}

TEST(ParsePressureTest, OldKernelsKnowNoFullOfProcessors) {
  const auto stalls = ParsePressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
  ASSERT_TRUE(stalls.ok());
  EXPECT_FALSE(stalls->full_us);
}

TEST(ParsePressureTest, RefusesWhatIsNone) {
  EXPECT_FALSE(ParsePressure("").ok());
  EXPECT_FALSE(ParsePressure("some avg10=0.00 total=many\n").ok());
  EXPECT_FALSE(ParsePressure("full avg10=0.00 total=1\n").ok());
}

TEST(ParseReclaimTest, AddsUpRefaults) {
  const Reclaim reclaim = ParseReclaim(
      "anon 4096\nworkingset_refault_anon 3\nworkingset_refault_file 40\nworkingset_activate_file "
      "9\n"
      "pgscan 800\npgsteal 700\npgsteal_kswapd 1\n");
  EXPECT_EQ(reclaim, (Reclaim{.pages = 700, .refaults = 43}));
}

TEST(UnifiedPathTest, IsThatOfHierarchyZero) {
  EXPECT_EQ(UnifiedPath("0::/machine.slice/vm\n"), "/machine.slice/vm");
  EXPECT_EQ(UnifiedPath("4:memory:/a\n0::/\n"), "/");
  EXPECT_EQ(UnifiedPath("4:memory:/a\n"), "");
}

TEST(UnifiedMountTest, IsFoundWhereverItIs) {
  EXPECT_EQ(UnifiedMount("proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/unified cgroup2 rw 0 0\n"),
            "/sys/fs/cgroup/unified");
  EXPECT_EQ(UnifiedMount("proc /proc proc rw 0 0\n"), "");
}

TEST(CpuPathTest, IsThatOfTheHierarchyWithTheController) {
  EXPECT_EQ(CpuPath("5:cpuset:/a\n4:cpu,cpuacct:/b:c\n0::/d\n"), "/b:c");
  EXPECT_EQ(CpuPath("1:name=systemd:/a\n0::/d\n"), "/d");
  EXPECT_EQ(CpuPath("cpu\n"), "");
}

}  // namespace
}  // namespace kvmsentry
