// The text of --help, in 80 columns.
#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace kvmsentry {

// Each option with its value, bounds and default: "--max-vms N   ... (1 to 65536; default 512)". A
// command's help says nothing of its parent's options but where they are shown. --help-all is the
// help of the program, then that of each command, however deep. help2man makes pages of either.
class Help final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

// Gives APP, which has no command yet, this help and a --help that shows it.
void UseHelp(CLI::App& app);

}  // namespace kvmsentry
