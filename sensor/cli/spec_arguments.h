// The arguments of `kvmsentry spec ...`.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "sensor/cli/commands.h"

namespace kvmsentry {

class SpecArguments {
 public:
  // APP outlives it.
  explicit SpecArguments(CLI::App& app);
  SpecArguments(const SpecArguments&) = delete;
  SpecArguments& operator=(const SpecArguments&) = delete;

  // The command that was given, once APP was parsed and has its subcommand "spec".
  Command Take();

 private:
  void AddLayers(CLI::App& command, SpecPaths& layers);

  SpecLintCommand lint_;
  SpecListCommand list_;
  SpecDiffCommand diff_;
  SpecExplainCommand explain_;
  SpecPaths explained_;
  SpecApplyCommand apply_;
  CLI::App* lint_app_ = nullptr;
  CLI::App* diff_app_ = nullptr;
  CLI::App* explain_app_ = nullptr;
  CLI::App* reload_app_ = nullptr;
  CLI::App* apply_app_ = nullptr;
};

}  // namespace kvmsentry
