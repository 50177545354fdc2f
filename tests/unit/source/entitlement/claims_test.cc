#include "sensor/source/entitlement/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Given Understood() {
  Given given;
  given.memory.size = {1 << 30, FactOrigin::kArgv};
  return given;
}

TEST(RunnerTest, IsTheUserAndTheProgram) {
  Given given;
  given.program = {"/usr/bin/qemu-system-x86_64", FactOrigin::kProcess};
  EXPECT_EQ(RunnerOf(given), "");
  given.privileges.uid = {107, FactOrigin::kProcess};
  EXPECT_EQ(RunnerOf(given), "uid 107 /usr/bin/qemu-system-x86_64");
}

TEST(UndeclaredTest, IsWhatIsOnlyOpen) {
  Given given = Understood();
  given.disks.emplace_back().path = {"/told.img", FactOrigin::kArgv};
  given.disks.emplace_back().path = {"/plugged.img", FactOrigin::kLibvirt};
  given.disks.emplace_back().path = {"/stolen.img", FactOrigin::kOpenFile};
  given.interfaces.emplace_back().device = {"tap0", FactOrigin::kOpenFile};
  given::HostDevice& vfio = given.devices.emplace_back();
  vfio.kind = {"vfio-group", FactOrigin::kOpenFile};
  vfio.place = {"/dev/vfio/3", FactOrigin::kOpenFile};
  EXPECT_THAT(UndeclaredOf(given),
              ElementsAre("disk /stolen.img", "interface tap0", "vfio-group /dev/vfio/3"));
}

// Of a VMM that is not known, everything is only open.
TEST(UndeclaredTest, IsNothingWhereTheCommandLineSaysNothing) {
  Given given;
  given.disks.emplace_back().path = {"/a.img", FactOrigin::kOpenFile};
  EXPECT_THAT(UndeclaredOf(given), IsEmpty());
}

Given Rights(uint64_t uid, const char* capabilities, bool filtered) {
  Given given;
  given.privileges.uid = {uid, FactOrigin::kProcess};
  given.privileges.capabilities = {capabilities, FactOrigin::kProcess};
  given.privileges.filtered = {filtered, FactOrigin::kProcess};
  return given;
}

TEST(GainedTest, IsWhatWasNotThereAtFirst) {
  const Given first = Rights(107, "0x1000", true);
  EXPECT_THAT(GainedSince(first, first), IsEmpty());
  EXPECT_THAT(GainedSince(first, Rights(0, "0x3000", false)),
              ElementsAre("uid 0", "capabilities 0x2000", "unfiltered system calls"));
}

TEST(GainedTest, GivingRightsUpIsNone) {
  EXPECT_THAT(GainedSince(Rights(0, "0x1ffffffffff", false), Rights(107, "0x0", true)), IsEmpty());
  EXPECT_THAT(GainedSince(Given{}, Rights(0, "0x1", false)), IsEmpty());  // it was not known
}

}  // namespace
}  // namespace kvmsentry
