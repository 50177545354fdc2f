// The options of `kvmsentry silence`.
#pragma once

#include <optional>
#include <string>

#include "CLI/CLI.hpp"

#include "sensor/cli/commands.h"

namespace kvmsentry {

// Holds what CLI11 fills: it must outlive the parsing.
class SilenceOptions {
 public:
  void AddTo(CLI::App& app);
  // As parsed; nullopt where none of its commands was given.
  std::optional<Command> Parsed() const;

 private:
  v1::AddSilenceRequest Request() const;

  CLI::App* add_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* end_ = nullptr;
  std::string vm_, spec_, point_, severity_, lasts_, comment_, author_;
  SilenceListCommand list_command_;
  SilenceEndCommand end_command_;
};

}  // namespace kvmsentry
