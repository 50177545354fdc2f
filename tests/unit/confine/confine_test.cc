// Each in a process of its own, for what is given up is gone. Run as whoever runs the tests: what
// that user may not do anyway proves nothing, so what is tested needs no right.
#include "sensor/confine/confine.h"

#include <cerrno>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/ptrace.h>
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

bool CanWrite(const std::string& path) { return static_cast<bool>(std::ofstream(path) << "x"); }

TEST(SystemCallsTest, WhatIsForbiddenFailsAndTheRestDoesNot) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok() || !ForbidSystemCalls({"getpriority"}).ok()) return 2;
              errno = 0;
              return syscall(SYS_getpriority, 0, 0) == -1 && errno == EPERM && getppid() > 0 ? 0
                                                                                             : 1;
            }),
            0);
}

TEST(SystemCallsTest, OnlyWhatIsAllowedWorks) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok() || !AllowSystemCalls({"exit_group", "getpid"}).ok()) {
                return 2;
              }
              return getpid() > 0 && syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(SystemCallsTest, ANameOfAnotherMachineIsPassedOver) {
  EXPECT_EQ(InChild([] {
              return KeepCapabilities({}).ok() && ForbidSystemCalls({"no_such_call"}).ok() ? 0 : 1;
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
              const absl::Status one = CheckCapabilities({CAP_BPF});
              const absl::Status two = CheckCapabilities({CAP_BPF, CAP_SYS_PTRACE});
              return absl::StartsWith(one.message(), "CAP_BPF is missing; ") &&
                             absl::StartsWith(two.message(),
                                              "CAP_BPF, CAP_SYS_PTRACE are missing; ")
                         ? 0
                         : 1;
            }),
            0);
}

// Sanitizers need what these two forbid.
#ifndef KVMSENTRY_SANITIZED
TEST(ConfineTest, TheDaemonStartsNoProgramAndLooksIntoNoProcess) {
  EXPECT_EQ(InChild([] {
              if (!ConfineDaemon().ok()) return 2;
              char* const none[] = {nullptr};
              if (execve("/bin/true", none, none) != -1 || errno != EPERM) return 3;
              if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != -1 || errno != EPERM) return 4;
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
  EXPECT_EQ(InChild([&] {
              const absl::Status confined = ConfineWrites({mine.path(), "/no/such/folder"});
              const bool outside = CanWrite(other.path() + "/file");
              if (!CanWrite(mine.path() + "/file") || !std::ifstream("/proc/self/status")) return 3;
              if (absl::IsUnimplemented(confined)) return outside ? 0 : 4;
              return confined.ok() && !outside ? 0 : 5;
            }),
            0);
}

}  // namespace
}  // namespace kvmsentry
