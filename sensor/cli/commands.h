// The commands of `kvmsentry`, a file each. Each returns the exit code: 0, or 1 for a failure or
// for problems found; of status, see health.h. What failed went to standard error.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/format.h"
#include "sensor/cli/style.h"

namespace kvmsentry {

struct CommonOptions {
  std::string socket;
  ColorWhen color = ColorWhen::kAuto;
};

struct AlertsCommand {
  v1::SubscribeRequest request;
  bool open = false;  // those that are open, instead of the stream
  uint64_t last = 0;  // not 0: only so many, the newest
  bool json = false;
};

struct VmsCommand {
  v1::ListVmsRequest request;
  bool counts = false;
  bool exits = false;
  bool devices = false;
  bool given = false;  // a page a VM instead of the table
  bool json = false;
};

struct StatusCommand {
  StatusParts parts;
  bool json = false;
};

struct SpecLintCommand {
  std::string dir;
};

struct SpecListCommand {
  bool json = false;
};

struct SpecExplainCommand {
  std::string id;
};

using Command = std::variant<AlertsCommand, VmsCommand, StatusCommand, SpecLintCommand,
                             SpecListCommand, SpecExplainCommand>;

int Run(const CommonOptions& common, const AlertsCommand& command);
int Run(const CommonOptions& common, const VmsCommand& command);
int Run(const CommonOptions& common, const StatusCommand& command);
int Run(const CommonOptions& common, const SpecLintCommand& command);
int Run(const CommonOptions& common, const SpecListCommand& command);
int Run(const CommonOptions& common, const SpecExplainCommand& command);

// Says on standard error what failed, and returns 1.
int Fail(const absl::Status& status);

// A line on standard error, with the program's name before it.
void Say(const std::string& text);

}  // namespace kvmsentry
