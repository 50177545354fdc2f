// The commands of `kvmsentry`, a file each. Each returns the exit code: 0, or 1 for a failure or
// for problems found; of status, see health.h. What failed went to standard error.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/format.h"
#include "sensor/cli/style.h"
#include "sensor/spec/layers.h"

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
  bool json = false;
};

struct StatusCommand {
  StatusParts parts;
  bool json = false;
};

// Folders of the spec library.
struct SpecPaths {
  std::string shipped = kShippedSpecs;
  std::string site = kSiteSpecs;
};

struct SpecLintCommand {
  std::string path;  // a file or folder that is checked alone; empty: the layers
  SpecPaths layers;
};

struct SpecDiffCommand {
  SpecPaths layers;
};

struct SpecListCommand {
  bool json = false;
};

struct SpecExplainCommand {
  std::string id;
  std::vector<std::string> vms;     // globs
  std::optional<SpecPaths> layers;  // none: what the daemon has loaded
};

struct SpecReloadCommand {};

struct SpecApplyCommand {
  std::string path;  // a file, or a folder
  bool check = false;
};

using Command =
    std::variant<AlertsCommand, VmsCommand, StatusCommand, SpecLintCommand, SpecListCommand,
                 SpecDiffCommand, SpecExplainCommand, SpecReloadCommand, SpecApplyCommand>;

int Run(const CommonOptions& common, const AlertsCommand& command);
int Run(const CommonOptions& common, const VmsCommand& command);
int Run(const CommonOptions& common, const StatusCommand& command);
int Run(const CommonOptions& common, const SpecLintCommand& command);
int Run(const CommonOptions& common, const SpecListCommand& command);
int Run(const CommonOptions& common, const SpecDiffCommand& command);
int Run(const CommonOptions& common, const SpecExplainCommand& command);
int Run(const CommonOptions& common, const SpecReloadCommand& command);
int Run(const CommonOptions& common, const SpecApplyCommand& command);

// Says on standard error what failed, and returns 1.
int Fail(const absl::Status& status);

// A line on standard error, with the program's name before it.
void Say(const std::string& text);

}  // namespace kvmsentry
