#include "sensor/source/resource/file_turns.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

std::vector<FilesWanted> Vms(uint64_t count, uint64_t urgent) {
  std::vector<FilesWanted> vms;
  for (uint64_t serial = 1; serial <= count; ++serial) {
    vms.push_back({.vm = {serial}, .pid = 1, .urgent = serial <= urgent});
  }
  return vms;
}

TEST(FileTurnsTest, FewAreAllReadAtEachPass) {
  FileTurns turns;
  for (int pass = 0; pass < 3; ++pass) EXPECT_EQ(turns.Choose(Vms(5, 2)).size(), 5U);
}

TEST(FileTurnsTest, OfManyEachHasItsTurn) {
  FileTurns turns;
  std::map<VmId, int> read;
  constexpr uint64_t kVms = 160;
  for (uint64_t pass = 0; pass < kVms / FileTurns::kMostOthers; ++pass) {
    for (const FilesWanted& vm : turns.Choose(Vms(kVms, 0))) ++read[vm.vm];
  }
  EXPECT_EQ(read.size(), kVms);
  for (const auto& [vm, times] : read) EXPECT_EQ(times, 1) << vm.serial;
}

TEST(FileTurnsTest, TheUrgentAreReadAtEachPassAndHoldNobodyElseUp) {
  FileTurns turns;
  std::map<VmId, int> read;
  for (int pass = 0; pass < 10; ++pass) {
    for (const FilesWanted& vm : turns.Choose(Vms(170, 10))) ++read[vm.vm];
  }
  for (uint64_t serial = 1; serial <= 170; ++serial) {
    EXPECT_EQ(read[VmId{serial}], serial <= 10 ? 10 : 1) << serial;
  }
}

TEST(FileTurnsTest, TooManyUrgentOnesTakeTurns) {
  FileTurns turns;
  std::map<VmId, int> read;
  for (int pass = 0; pass < 2; ++pass) {
    for (const FilesWanted& vm : turns.Choose(Vms(64, 64))) ++read[vm.vm];
  }
  EXPECT_EQ(read.size(), 64U);
}

TEST(FileTurnsTest, OfNoneThereIsNone) { EXPECT_TRUE(FileTurns().Choose({}).empty()); }

}  // namespace
}  // namespace kvmsentry
