// kvmsentry: the client of kvmsentryd.
#include <variant>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "sensor/cli/arguments.h"
#include "sensor/cli/commands.h"

int main(int argc, char** argv) {
  // Started with one of these closed, a socket of ours would take its place and get our output.
  while (true) {
    const int fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO || fd < 0) {
      if (fd >= 0) close(fd);
      break;
    }
  }
  signal(SIGPIPE, SIG_IGN);  // a reader that has gone is told by the write

  const auto parsed = kvmsentry::ParseArguments(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& invocation = std::get<kvmsentry::Invocation>(parsed);
  return std::visit([&](const auto& command) { return kvmsentry::Run(invocation.common, command); },
                    invocation.command);
}
