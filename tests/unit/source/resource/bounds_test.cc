#include "sensor/source/resource/bounds.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr uint64_t kGib = uint64_t{1} << 30;

TEST(BoundsTest, AreTheMostThatMayBePlugged) {
  Given given;
  given.cpus.start = {2, FactOrigin::kArgv};
  given.memory.size = {kGib, FactOrigin::kArgv};
  EXPECT_EQ(BoundsOf(given).vcpus, 2U);
  EXPECT_EQ(BoundsOf(given).memory, kGib + kDeviceMemory);
  given.cpus.max = {8, FactOrigin::kLibvirt};
  given.memory.max = {4 * kGib, FactOrigin::kLibvirt};
  EXPECT_EQ(BoundsOf(given).vcpus, 8U);
  EXPECT_EQ(BoundsOf(given).memory, 4 * kGib + kDeviceMemory);
}

// The memory itself has a back end where libvirt or Cloud Hypervisor starts the VM.
TEST(BoundsTest, CountMemoryOnce) {
  Given given;
  given.memory.size = {kGib, FactOrigin::kArgv};
  given.memory.backing.emplace_back().size = {kGib, FactOrigin::kArgv};
  EXPECT_EQ(BoundsOf(given).memory, kGib + kDeviceMemory);
}

TEST(BoundsTest, DefaultsDoNotHoldWhereSomethingWasNotRead) {
  Given given;
  given.cpus.start = {1, FactOrigin::kDefault};
  EXPECT_EQ(BoundsOf(given).vcpus, 1U);
  given.gaps.emplace_back("-readconfig");
  EXPECT_EQ(BoundsOf(given).vcpus, 0U);
}

// As of ivshmem, which is no part of the memory. What is only open was given by nobody.
TEST(BoundsTest, HoldDeclaredRegions) {
  Given given;
  given.memory.size = {kGib, FactOrigin::kArgv};
  given.memory.backing.emplace_back().size = {kGib / 2, FactOrigin::kArgv};
  given.memory.backing.emplace_back().size = {kGib, FactOrigin::kOpenFile};
  EXPECT_EQ(BoundsOf(given).memory, kGib + kGib / 2 + kDeviceMemory);
}

TEST(BoundsTest, AreUnknownWhereNothingTells) {
  EXPECT_EQ(BoundsOf({}).vcpus, 0U);
  EXPECT_EQ(BoundsOf({}).memory, 0U);
  Given passed_through;
  passed_through.memory.size = {kGib, FactOrigin::kArgv};
  passed_through.devices.emplace_back().kind = {"vfio-pci", FactOrigin::kArgv};
  EXPECT_EQ(BoundsOf(passed_through).memory, 0U);
}

}  // namespace
}  // namespace kvmsentry
