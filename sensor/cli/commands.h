// The commands of `kvmsentry`, a file each. Each returns the exit code: 0, or 1 for a failure or
// for problems found; of status and health, see health.h. What failed went to standard error.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "kvmsentry/v1/silence.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/client.h"
#include "sensor/cli/format.h"
#include "sensor/cli/style.h"
#include "sensor/cli/vm_order.h"
#include "sensor/spec/layers.h"

namespace kvmsentry {

struct CommonOptions {
  Target target;
  ColorWhen color = ColorWhen::kAuto;
};

struct AlertsCommand {
  v1::SubscribeRequest request;
  bool open = false;  // those that are open, instead of the stream
  uint64_t last = 0;  // not 0: only so many, the newest
  bool verbose = false;
  bool wide = false;
  bool json = false;
};

struct VmsCommand {
  v1::ListVmsRequest request;
  std::string name;  // that VM in full; empty: a table of all
  VmKey sort = VmKey::kSeverity;
  bool wide = false;
  bool counts = false;
  bool exits = false;
  bool devices = false;
  bool given = false;  // a page a VM instead of the table
  bool json = false;
};

struct MembersCommand {
  v1::ListMembersRequest request;
  bool wide = false;
  bool json = false;
};

struct StatusCommand {
  StatusParts parts;
  bool json = false;
};

// Does the daemon work? What it says of the host is status's.
struct HealthCommand {};

struct SilenceAddCommand {
  v1::AddSilenceRequest request;
};

struct SilenceListCommand {
  bool wide = false;
  bool json = false;
};

struct SilenceEndCommand {
  uint64_t id = 0;
};

// Folders of the spec library.
struct SpecPaths {
  std::string shipped = kShippedSpecs;
  std::string site = kSiteSpecs;
  bool site_is_named = false;  // then it must be there
};

struct SpecLintCommand {
  std::string path;  // a file or folder that is checked alone; empty: the layers
  SpecPaths layers;
};

struct SpecDiffCommand {
  SpecPaths layers;
};

struct SpecListCommand {
  bool wide = false;
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
  bool empty = false;  // the folder may hold nothing
};

using Command = std::variant<AlertsCommand, VmsCommand, MembersCommand, StatusCommand,
                             HealthCommand, SilenceAddCommand, SilenceListCommand,
                             SilenceEndCommand, SpecLintCommand, SpecListCommand, SpecDiffCommand,
                             SpecExplainCommand, SpecReloadCommand, SpecApplyCommand>;

int Run(const CommonOptions& common, const AlertsCommand& command);
int Run(const CommonOptions& common, const VmsCommand& command);
int Run(const CommonOptions& common, const MembersCommand& command);
int Run(const CommonOptions& common, const StatusCommand& command);
int Run(const CommonOptions& common, const HealthCommand& command);
int Run(const CommonOptions& common, const SilenceAddCommand& command);
int Run(const CommonOptions& common, const SilenceListCommand& command);
int Run(const CommonOptions& common, const SilenceEndCommand& command);
int Run(const CommonOptions& common, const SpecLintCommand& command);
int Run(const CommonOptions& common, const SpecListCommand& command);
int Run(const CommonOptions& common, const SpecDiffCommand& command);
int Run(const CommonOptions& common, const SpecExplainCommand& command);
int Run(const CommonOptions& common, const SpecReloadCommand& command);
int Run(const CommonOptions& common, const SpecApplyCommand& command);

// How standard output is to look; WIDE: nothing is cut.
Look LookFor(const CommonOptions& common, bool wide);

// Says on standard error what failed, and returns 1.
int Fail(const absl::Status& status);

// A line on standard error, with the program's name before it.
void Say(const std::string& text);

}  // namespace kvmsentry
