#include "sensor/daemon/end_guard.h"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace kvmsentry {
namespace {

using std::chrono::milliseconds;
using ::testing::ExitedWithCode;

[[noreturn]] void Hang() {
  for (;;) pause();
}

TEST(EndGuardDeathTest, WhatHangsIsNamedAndEnded) {
  EXPECT_EXIT(
      {
        spdlog::set_default_logger(spdlog::stderr_logger_mt("test"));
        const EndGuard guard(milliseconds(10), "a worker is walking over open files", 1);
        Hang();
      },
      ExitedWithCode(1), "a worker is walking over open files");
}

TEST(EndGuardDeathTest, ALogThatNobodyReadsHoldsNothingUp) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe2(ends, O_NONBLOCK) != 0) abort();
        char filling[4096];
        std::memset(filling, ' ', sizeof(filling));
        while (write(ends[1], filling, sizeof(filling)) > 0) continue;
        if (fcntl(ends[1], F_SETFL, 0) != 0) abort();
        dup2(ends[1], STDERR_FILENO);
        spdlog::set_default_logger(spdlog::stderr_logger_mt("test"));
        const EndGuard guard(milliseconds(10), "the log", 0);
        spdlog::info("as the last line of the daemon");
      },
      ExitedWithCode(0), "");
}

TEST(EndGuardDeathTest, AnEndInTimeIsNotDisturbed) {
  EXPECT_EXIT(
      {
        { const EndGuard guard(std::chrono::hours(1), "nothing", 1); }
        _exit(7);
      },
      ExitedWithCode(7), "");
}

}  // namespace
}  // namespace kvmsentry
