#include "sensor/inventory/process.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// As the kernel writes it, with a name and a start time to choose.
std::string Stat(const std::string& comm, const std::string& start, char state = 'S') {
  return "100 (" + comm + ") " + state + " 1 100 100 0 -1 4194560 2201 0 0 0 12 7 0 0 20 0 4 0 " +
         start + " 223100928 5120 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";
}

class ProcFsTest : public ::testing::Test {
 protected:
  void AddProcess(const std::string& pid, const std::string& cmdline) {
    tree_.Write(pid + "/stat", Stat("qemu-system-x86", "250"));
    tree_.Write(pid + "/status", "Name:\tqemu-system-x86\nUmask:\t0022\nTgid:\t100\nNgid:\t0\n");
    tree_.Write(pid + "/cmdline", cmdline);
    tree_.Write(pid + "/cgroup", "0::/machine.slice/vm.scope\n");
    tree_.Link(pid + "/exe", "/usr/bin/qemu-system-x86_64");
  }
  FakeTree tree_;
};

TEST_F(ProcFsTest, ReadsAProcess) {
  AddProcess("100", std::string("qemu\0-name\0a b\0\0", 16));
  const int64_t tick = kNsPerSecond / sysconf(_SC_CLK_TCK);
  const auto process = ProcFs(tree_.root(), 0).Read(100);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(process->pid, 100);
  EXPECT_EQ(process->start_ticks, 250U);
  EXPECT_EQ(process->start.ns, 250 * tick);
  EXPECT_EQ(process->comm, "qemu-system-x86");
  EXPECT_EQ(process->exe, "/usr/bin/qemu-system-x86_64");
  EXPECT_THAT(process->args, ElementsAre("qemu", "-name", "a b", ""));
  EXPECT_EQ(process->cgroup, "/machine.slice/vm.scope");
}

TEST_F(ProcFsTest, StartsAreInTheClockThatStandsStillDuringSleep) {
  AddProcess("100", "qemu");
  const int64_t tick = kNsPerSecond / sysconf(_SC_CLK_TCK);
  EXPECT_EQ(ProcFs(tree_.root(), 7).Read(100)->start.ns, 250 * tick - 7);
}

TEST_F(ProcFsTest, AThreadLeadsToItsProcess) {
  AddProcess("103", "qemu");
  EXPECT_EQ(ProcFs(tree_.root(), 0).Read(103)->pid, 100);
}

// The first thread's own directory tells of no memory any more.
TEST_F(ProcFsTest, AProcessWhoseFirstThreadHasEndedIsReadFromAnother) {
  AddProcess("100", "");
  std::string stat = Stat("qemu-system-x86", "250");
  stat.replace(stat.find(") S "), 4, ") Z ");
  tree_.Write("100/stat", stat);
  tree_.Remove("100/exe");
  tree_.Write("100/task/100/cmdline", "");
  AddProcess("100/task/107", std::string("qemu\0-name\0web", 14));
  const auto process = ProcFs(tree_.root(), 0).Read(100);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(process->pid, 100);
  EXPECT_EQ(process->exe, "/usr/bin/qemu-system-x86_64");
  EXPECT_THAT(process->args, ElementsAre("qemu", "-name", "web"));
  // A process that has ended as a whole has no other.
  tree_.Remove("100/task/107");
  EXPECT_THAT(ProcFs(tree_.root(), 0).Read(100)->args, ElementsAre());
}

TEST_F(ProcFsTest, CommandLineIsBounded) {
  AddProcess("100", std::string(1 << 20, 'x'));
  EXPECT_THAT(ProcFs(tree_.root(), 0).Read(100)->args, ElementsAre(SizeIs(kMaxCommandLine)));
}

TEST_F(ProcFsTest, NoExecutableAndNoArgumentsAreNoFault) {
  AddProcess("100", "");
  tree_.Remove("100/exe");
  const auto process = ProcFs(tree_.root(), 0).Read(100);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(process->exe, "");
  EXPECT_THAT(process->args, SizeIs(0));
}

TEST_F(ProcFsTest, AVanishedProcessIsNotFound) {
  ProcFs procfs(tree_.root(), 0);
  EXPECT_TRUE(absl::IsNotFound(procfs.Read(100).status()));
  EXPECT_TRUE(absl::IsNotFound(procfs.ReadStart(100).status()));
  AddProcess("100", "qemu");
  tree_.Remove("100/cgroup");
  EXPECT_TRUE(absl::IsNotFound(procfs.Read(100).status()));
}

TEST(ProcFs, ReadsThisProcess) {
  ProcFs procfs;
  const auto process = procfs.Read(getpid());
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(process->pid, getpid());
  EXPECT_THAT(process->exe, ::testing::HasSubstr("inventory_test"));
  EXPECT_EQ(*procfs.ReadStart(getpid()), process->start_ticks);
}

TEST(ProcFs, ReadsThisProcessByAThreadOfIt) {
  absl::StatusOr<ProcessFacts> process;
  std::thread([&] { process = ProcFs().Read(gettid()); }).join();
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(process->pid, getpid());
  EXPECT_GE(process->start_ticks, *ProcFs().ReadStart(getpid()));
}

TEST_F(ProcFsTest, AProcessLivesAsLongAsAnyOfItsThreads) {
  tree_.Write("100/stat", Stat("qemu", "250", 'Z'));
  tree_.Write("100/task/100/stat", Stat("qemu", "250", 'Z'));
  tree_.Write("100/task/101/stat", Stat("vcpu", "251"));
  const ProcFs procfs(tree_.root(), 0);
  EXPECT_TRUE(procfs.Lives(100, 250));
  EXPECT_FALSE(procfs.Lives(100, 251)) << "another process had that number";
  tree_.Write("100/task/101/stat", Stat("vcpu", "251", 'X'));
  EXPECT_FALSE(procfs.Lives(100, 250));
  tree_.Write("100/stat", Stat("qemu", "250"));
  EXPECT_TRUE(procfs.Lives(100, 250));
  EXPECT_FALSE(procfs.Lives(200, 250));
}

TEST(ParseStatTest, TheNameMayLookLikeTheRest) {
  EXPECT_EQ(ParseStat(Stat("a) S 9 (b", "77"))->comm, "a) S 9 (b");
  EXPECT_EQ(ParseStat(Stat("a) S 9 (b", "77"))->start_ticks, 77U);
}

TEST(ParseStatTest, WhatIsCutOffIsAnError) {
  const std::string whole = Stat("x", "77");
  for (const size_t length : {size_t{0}, size_t{3}, size_t{5}, size_t{7}, size_t{40}}) {
    EXPECT_FALSE(ParseStat(whole.substr(0, length)).ok()) << length;
  }
}

TEST(ParseCgroupTest, Chooses) {
  const struct {
    const char* file;
    const char* path;
  } kCases[] = {
      {"0::/system.slice/a.service\n", "/system.slice/a.service"},
      {"0::/a:b\n", "/a:b"},
      {"0::/\n", "/"},
      {"", "/"},
      {"nonsense\n::\n1:cpu:relative\n", "/"},
      // v2 where it is in use, whatever v1 says.
      {"1:cpu:/a/b/c\n0::/u\n", "/u"},
      // Of v1 the deepest.
      {"9:name=systemd:/\n4:memory:/api/8be1\n1:cpu:/\n0::/\n", "/api/8be1"},
      {"3:cpu,cpuacct:/m/vm/emulator\n2:memory:/m/vm\n1:name=systemd:/m/vm\n", "/m/vm/emulator"},
      // Of equals systemd's, then memory's, then cpu's.
      {"4:pids:/p\n3:cpu,cpuacct:/c\n2:memory:/m\n1:name=systemd:/s\n0::/\n", "/s"},
      {"4:pids:/p\n3:cpu,cpuacct:/c\n2:memory:/m\n", "/m"},
      {"4:pids:/p\n3:cpu,cpuacct:/c\n", "/c"},
  };
  for (const auto& c : kCases) EXPECT_EQ(ParseCgroup(c.file), c.path) << c.file;
}

}  // namespace
}  // namespace kvmsentry
