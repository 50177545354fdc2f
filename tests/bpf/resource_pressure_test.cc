// What is read of a cgroup's pressure and reclaim, beside the kernel's own files.
#include <cstdio>
#include <fstream>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

#include "gtest/gtest.h"

#include "sensor/source/resource/group_files.h"
#include "tests/support/assert_ok.h"
#include "tests/support/cgroup.h"
#include "tests/support/child.h"
#include "tests/support/wait.h"

namespace kvmsentry {
namespace {

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A cgroup of the unified hierarchy, which a host of version 1 has beside its others.
class UnifiedGroup {
 public:
  UnifiedGroup()
      : path_(
            absl::StrCat(UnifiedMount(ContentOf("/proc/self/mounts")), "/ks-pressure-", getpid())) {
    EXPECT_EQ(mkdir(path_.c_str(), 0755), 0) << path_ << ": " << strerror(errno);
  }
  ~UnifiedGroup() { rmdir(path_.c_str()); }

  std::string File(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  void Add(pid_t pid) const { std::ofstream(File("cgroup.procs")) << pid; }

  Stalls Pressure(absl::string_view name) const {
    unsigned long long some = 0, full = 0;
    const std::string content = ContentOf(File(name));
    const int read = std::sscanf(content.c_str(),
                                 "some avg10=%*f avg60=%*f avg300=%*f total=%llu "
                                 "full avg10=%*f avg60=%*f avg300=%*f total=%llu",
                                 &some, &full);
    EXPECT_GE(read, 1) << File(name) << ": " << content;
    return {some, read > 1 ? std::optional<uint64_t>(full) : std::nullopt};
  }

 private:
  std::string path_;
};

// Uses a CPU for MICROSECONDS, of its own time.
void Spin(int64_t microseconds) {
  const clock_t end = clock() + static_cast<clock_t>(microseconds * CLOCKS_PER_SEC / 1000000);
  while (clock() < end) {
  }
}

TEST(ResourcePressureTest, AGroupHasWaitedForWhatItsFilesSay) {
  const UnifiedGroup group;
  // More than there are CPUs: some wait.
  const auto cpus = static_cast<size_t>(sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<Child> busy;
  for (size_t i = 0; i <= cpus; ++i) {
    ASSERT_OK_AND_ASSIGN(Child child, Child::Fork([&](const Child::Pause& pause) -> absl::Status {
                           group.Add(getpid());
                           pause();
                           Spin(300'000);
                           pause();
                           return absl::OkStatus();
                         }));
    busy.push_back(std::move(child));
  }
  for (Child& child : busy) ASSERT_OK(child.AwaitPause());
  for (Child& child : busy) ASSERT_OK(child.Continue());
  for (Child& child : busy) ASSERT_OK(child.AwaitPause());

  ASSERT_OK_AND_ASSIGN(const GroupReader reader, GroupReader::Open());
  for (const Pressure of : kPressures) {
    const std::string name(PressureName(of));
    Stalls before, after;
    std::optional<Stalls> found;
    EXPECT_TRUE(WaitUntil([&] {
      before = group.Pressure(name);
      const absl::StatusOr<GroupFiles> files = reader.Read(busy.front().pid());
      EXPECT_TRUE(files.ok()) << files.status();
      if (files.ok()) found = files->stalls[static_cast<size_t>(of)];
      after = group.Pressure(name);
      return before == after || testing::Test::HasFailure();
    })) << name
        << " never stands still";
    EXPECT_EQ(found, before) << name;
    if (of == Pressure::kCpu) {
      EXPECT_GE(before.some_us, 50'000U);
    }
  }

  ASSERT_OK_AND_ASSIGN(const GroupFiles files, reader.Read(busy.front().pid()));
  const std::string memory = group.File("memory.stat");
  ASSERT_EQ(files.reclaim.has_value(), access(memory.c_str(), R_OK) == 0);
  if (files.reclaim) {
    EXPECT_EQ(files.reclaim->pages, NumberOf(memory, "pgsteal").value_or(1));
    EXPECT_EQ(files.reclaim->refaults, NumberOf(memory, "workingset_refault_anon").value_or(1) +
                                           NumberOf(memory, "workingset_refault_file").value_or(1));
  }
  for (Child& child : busy) ASSERT_OK(child.Finish());
}

}  // namespace
}  // namespace kvmsentry
