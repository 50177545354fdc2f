#include "sensor/source/resource/file_sights.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;

constexpr VmId kWeb{1}, kDb{2};
const std::map<VmId, std::string> kNames = {{kWeb, "web"}, {kDb, "db"}};

Survey::GroupSeen WithPressure() {
  Survey::GroupSeen seen;
  for (auto& stalls : seen.files.stalls) stalls = Stalls{};
  return seen;
}

const FileSight& Of(const std::vector<FileSight>& sights, absl::string_view hook) {
  return *std::ranges::find(sights, hook, &FileSight::hook);
}

TEST(FileSightsTest, NothingIsKnownWithoutAVm) {
  EXPECT_THAT(FileSightsOf(Survey::Report{}, kNames), IsEmpty());
}

TEST(FileSightsTest, AFileThatACgroupLacksIsSaidOfItsVm) {
  Survey::Report report;
  report.groups[kDb] = WithPressure();
  const auto sights = FileSightsOf(report, kNames);
  ASSERT_EQ(sights.size(), 4U);
  EXPECT_EQ(Of(sights, "io.pressure"), (FileSight{"io.pressure", true, ""}));
  EXPECT_EQ(Of(sights, "memory.stat"),
            (FileSight{"memory.stat", false, "VM db: its cgroup has no such file"}));
}

TEST(FileSightsTest, AVmWithoutACgroupHasNone) {
  Survey::Report report;
  report.groups[kDb] = WithPressure();
  report.groups[kDb].files.reclaim = Reclaim{};
  report.unread[kWeb] = "no cgroup";
  for (const FileSight& sight : FileSightsOf(report, kNames)) {
    EXPECT_TRUE(sight.of_some) << sight.hook;
    EXPECT_EQ(sight.lacks, "VM web: no cgroup") << sight.hook;
  }
  report.groups.clear();
  for (const FileSight& sight : FileSightsOf(report, kNames)) {
    EXPECT_FALSE(sight.of_some) << sight.hook;
  }
}

}  // namespace
}  // namespace kvmsentry
