// Each in a process of its own, for what is given up is gone. Run as whoever runs the tests: what
// that user may not do anyway proves nothing, so what is tested needs no right.
#include "sensor/confine/confine.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"

#include "sensor/base/sanitized.h"
#include "sensor/confine/capabilities.h"
#include "sensor/confine/system_calls.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

// What CHECK returns in a child process.
int InChild(const std::function<int()>& check) {
  const pid_t child = fork();
  if (child == 0) _exit(check());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

using Otherwise = SystemCallFilter::Otherwise;

bool Load(absl::string_view names, Otherwise otherwise) {
  SystemCallFilter filter(otherwise);
  filter.Add(names);
  return filter.Load().ok();
}

bool CanWrite(const std::string& path) { return static_cast<bool>(std::ofstream(path) << "x"); }

TEST(SystemCallsTest, WhatIsForbiddenFailsAndTheRestDoesNot) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok() || !Load("getpriority", Otherwise::kAllowed)) return 2;
              errno = 0;
              return syscall(SYS_getpriority, 0, 0) == -1 && errno == EPERM && getppid() > 0 ? 0
                                                                                             : 1;
            }),
            0);
}

TEST(SystemCallsTest, ANameOfAnotherMachineIsPassedOver) {
  EXPECT_EQ(InChild([] {
              return KeepCapabilities({}).ok() && Load("no_such_call", Otherwise::kAllowed) ? 0 : 1;
            }),
            0);
}

TEST(CapabilitiesTest, NoProgramGetsThemBack) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok()) return 2;
              std::ifstream status("/proc/self/status");
              std::string all((std::istreambuf_iterator<char>(status)), {});
              return all.find("CapEff:\t0000000000000000") != std::string::npos &&
                             all.find("CapPrm:\t0000000000000000") != std::string::npos &&
                             all.find("NoNewPrivs:\t1") != std::string::npos
                         ? 0
                         : 1;
            }),
            0);
}

TEST(CapabilitiesTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok() || !CheckCapabilities({}).ok()) return 2;
              constexpr int kNeeded[] = {CAP_BPF, CAP_SYS_PTRACE};
              const absl::Status one = CheckCapabilities(std::span(kNeeded).first(1));
              const absl::Status two = CheckCapabilities(kNeeded);
              return absl::StartsWith(one.message(), "CAP_BPF is missing; ") &&
                             absl::StartsWith(two.message(),
                                              "CAP_BPF, CAP_SYS_PTRACE are missing; ")
                         ? 0
                         : 1;
            }),
            0);
}

// Sanitizers need what these forbid.
#ifndef KVMSENTRY_SANITIZED
TEST(SystemCallsTest, OnlyWhatIsAllowedWorks) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok() || !Load("exit_group getpid", Otherwise::kRefused)) {
                return 2;
              }
              return getpid() > 0 && syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(ConfineTest, TheDaemonStartsNoProgramAndLooksIntoNoProcess) {
  EXPECT_EQ(InChild([] {
              if (!ConfineDaemon().ok()) return 2;
              char* const none[] = {nullptr};
              if (execve("/bin/true", none, none) != -1 || errno != EPERM) return 3;
              if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != -1 || errno != EPERM) return 4;
              if (syscall(SYS_clone3, nullptr, 0) != -1 || errno != ENOSYS) return 5;
              if (unshare(CLONE_NEWUSER) != -1 || errno != EPERM) return 6;
              if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) != -1) return 7;
              if (chmod("/dev/null", 04755) != -1 || errno != EPERM) return 8;
              std::thread([] {}).join();  // threads are made all the same
              return 0;
            }),
            0);
}

// The number of the command is an int: the kernel looks at no more of the argument, nor may the
// filter.
TEST(ConfineTest, TheDaemonLoadsNoProgramIntoTheKernel) {
  EXPECT_EQ(InChild([] {
              if (!ConfineDaemon().ok()) return 2;
              const auto refused = [](uint64_t command) {
                errno = 0;
                return syscall(SYS_bpf, command, nullptr, 0) == -1 && errno == EPERM;
              };
              for (const uint64_t command :
                   {uint64_t{BPF_PROG_LOAD}, uint64_t{BPF_BTF_LOAD}, uint64_t{BPF_MAP_CREATE},
                    uint64_t{1} << 32 | BPF_PROG_LOAD, uint64_t{34}, uint64_t{99}}) {
                if (!refused(command)) return 3;
              }
              return 0;
            }),
            0);
}

TEST(ConfineTest, TheLoaderOpensNoSocket) {
  EXPECT_EQ(InChild([] {
              if (!ConfineLoader().ok()) return 2;
              return syscall(SYS_socket, 1, 1, 0) == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
}

#endif

// Where the kernel has no Landlock, it is said, and nothing is taken away.
TEST(ConfineTest, FilesAreWrittenBelowTheFoldersAlone) {
  ASSERT_OK_AND_ASSIGN(const TempDir mine, TempDir::Make());
  ASSERT_OK_AND_ASSIGN(const TempDir other, TempDir::Make());
  ASSERT_TRUE(CanWrite(other / "old"));
  EXPECT_EQ(InChild([&] {
              const absl::Status confined =
                  ConfineWrites({.folders = {mine.path(), "/no/such/folder"}, .removed = {}});
              const bool outside = CanWrite(other / "new");
              if (!CanWrite(mine / "file") || !std::ifstream("/proc/self/status")) return 3;
              if (absl::IsUnimplemented(confined)) {
                const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
                return outside && version < 2 ? 0 : 4;
              }
              if (!confined.ok() || outside) return 5;
              if (unlink((other / "old").c_str()) != -1) return 6;
              if (rename((mine / "file").c_str(), (other / "file").c_str()) != -1) return 7;
              if (open((other / "old").c_str(), O_RDONLY) == -1) return 8;
              if (mkdir((mine / "folder").c_str(), 0700) != 0) return 9;
              // From one folder to another, as a socket goes to its place.
              return rename((mine / "file").c_str(), (mine / "folder/file").c_str()) == 0 ? 0 : 10;
            }),
            0);
}

}  // namespace
}  // namespace kvmsentry
