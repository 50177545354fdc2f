#include "sensor/inventory/own_process.h"

#include <memory>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/time/clock.h"

#include "sensor/base/fd.h"
#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

TEST(OwnProcessTest, ReadsThisProcess) {
  const OwnUsage before = ReadOwnUsage();
  ASSERT_TRUE(before.open_fds.has_value());
  ASSERT_TRUE(before.resident_bytes.has_value());
  EXPECT_GT(*before.resident_bytes, 1U << 20);
  const std::vector<char> touched(64 << 20, 'x');
  const Fd one(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd another(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const OwnUsage after = ReadOwnUsage();
  EXPECT_EQ(after.open_fds, *before.open_fds + 2);
  EXPECT_GE(*after.resident_bytes, *before.resident_bytes + (32 << 20));
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
  EXPECT_GT(after.cpu_seconds, 0);
}

TEST(OwnProcessTest, StartedAMomentAgo) {
  const auto start = ReadOwnStart();
  ASSERT_TRUE(start.has_value());
  EXPECT_LE(*start, absl::Now() + absl::Seconds(1));
  EXPECT_GT(*start, absl::Now() - absl::Hours(1));
}

TEST(OwnProcessTest, LeavesOutWhatCannotBeRead) {
  FakeTree tree;
  tree.Write("self/statm", "nonsense\n");
  tree.Write("self/stat", "nonsense\n");
  const OwnUsage usage = ReadOwnUsage(tree.root());
  EXPECT_FALSE(usage.resident_bytes.has_value());
  EXPECT_FALSE(usage.open_fds.has_value());
  EXPECT_FALSE(ReadOwnStart(tree.root()).has_value());
}

}  // namespace
}  // namespace kvmsentry
