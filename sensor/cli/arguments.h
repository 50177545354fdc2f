// The command line.
#pragma once

#include <variant>

#include "sensor/cli/commands.h"

namespace kvmsentry {

struct Invocation {
  CommonOptions common;
  Command command;
};

// An invocation; or the exit code, where help, the version or a usage error (2) was printed.
std::variant<Invocation, int> ParseArguments(int argc, const char* const* argv);

}  // namespace kvmsentry
