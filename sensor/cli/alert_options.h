// The options of `kvmsentry alerts`.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "sensor/cli/commands.h"

namespace kvmsentry {

// Holds what CLI11 fills: it must outlive the parsing.
class AlertOptions {
 public:
  void AddTo(CLI::App& app);
  // As parsed.
  AlertsCommand Command() const;

 private:
  v1::SubscribeRequest Request() const;

  AlertsCommand command_;
  std::string since_, min_severity_, from_, until_, text_;
  std::vector<std::string> vms_, points_, specs_;
  bool follow_ = false;
  bool only_new_ = false;
  bool hide_silenced_ = false;
};

}  // namespace kvmsentry
