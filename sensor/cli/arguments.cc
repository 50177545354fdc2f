#include "sensor/cli/arguments.h"

#include <string>
#include <tuple>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "sensor/alert/position.h"
#include "sensor/cli/health.h"
#include "sensor/cli/read_time.h"
#include "sensor/rpc/server.h"

namespace kvmsentry {
namespace {

constexpr int kUsageError = 2;

constexpr char kDescription[] =
    "kvmsentry: shows what kvmsentryd sees of this host's virtual machines";

constexpr char kExitCodes[] =
    "Exit codes: 0 success; 1 a failure, or problems found; 2 wrong usage; of status see its help.";

// The names of an enum of the protos, without the one that means "not set".
std::vector<std::string> NamesOf(const google::protobuf::EnumDescriptor& descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.value_count(); ++i) {
    if (descriptor.value(i)->number() != 0) names.push_back(descriptor.value(i)->name());
  }
  return names;
}

// A check that lets one of NAMES pass, in any case, and writes it as in NAMES.
CLI::Validator OneOf(const std::vector<std::string>& names) {
  const auto check = [names](std::string& text) -> std::string {
    for (const std::string& name : names) {
      if (absl::EqualsIgnoreCase(name, text)) {
        text = name;
        return "";
      }
    }
    return absl::StrCat("'", text, "' is none of ", absl::StrJoin(names, ", "));
  };
  return CLI::Validator(check, "");
}

std::string CheckPosition(const std::string& text) {
  return ParsePosition(text) ? "" : "'" + text + "' is no position; write EPOCH:SEQUENCE";
}

std::string CheckTime(const std::string& text) {
  return ReadTime(text, absl::Now(), absl::LocalTimeZone())
             ? ""
             : "'" + text + "' is no time; write 2026-11-29 14:00, 2026-11-29T14:00:00Z or 2h";
}

void AddJson(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "One JSON object a line, for programs");
}

// The texts that CLI11 fills, before they become the request.
struct AlertsTexts {
  std::string since, min_severity, from, until, text;
  std::vector<std::string> vms, points, specs;
  bool follow = false;
  bool only_new = false;
};

void AddAlerts(CLI::App& app, AlertsTexts& texts, AlertsCommand& command) {
  CLI::App& alerts = *app.add_subcommand("alerts", "Show the alerts that are kept, and new ones");
  alerts.add_flag("-f,--follow", texts.follow, "Continue with new alerts until interrupted");
  CLI::Option* since =
      alerts
          .add_option("--since", texts.since,
                      "Only what came after this position (\"position\" in the JSON)")
          ->type_name("EPOCH:SEQUENCE")
          ->check(CheckPosition, "");
  alerts.add_flag("--only-new", texts.only_new, "Skip the alerts that are kept")->excludes(since);
  alerts.add_option("--vm", texts.vms, "Only of VMs whose name or uuid matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  alerts.add_option("--point", texts.points, "Only of this point, K1-K7, R1-R5; may be repeated")
      ->type_name("POINT")
      ->allow_extra_args(false)
      ->transform(OneOf(NamesOf(*v1::Point_descriptor())));
  alerts.add_option("--spec", texts.specs, "Only of specs whose id matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  alerts
      .add_option("--min-severity", texts.min_severity,
                  "Only of this severity or worse: INFO, NOTICE, WARNING, CRITICAL")
      ->type_name("SEVERITY")
      ->transform(OneOf(NamesOf(*v1::Severity_descriptor())));
  for (const auto& [option, value, text] :
       {std::tuple("--from", &texts.from, "Only from this time on: 2026-11-29 14:00, or 2h ago"),
        std::tuple("--until", &texts.until, "Only before this time")}) {
    alerts.add_option(option, *value, text)->type_name("TIME")->check(CheckTime, "");
  }
  alerts.add_option("--text", texts.text, "Only with this in summary, names or evidence")
      ->type_name("TEXT");
  CLI::Option* open = alerts.add_flag("--open", command.open, "Only alerts that are open now");
  CLI::Option* last = alerts.add_option("--last", command.last, "Only so many, the newest")
                          ->type_name("COUNT")
                          ->check(CLI::Range(1, 1'000'000));
  for (const char* other : {"--follow", "--since", "--only-new"}) {
    open->excludes(alerts.get_option(other));
    last->excludes(alerts.get_option(other));
  }
  open->excludes(last);
  AddJson(alerts, command.json);
}

void SetTime(const std::string& text, google::protobuf::Timestamp& proto) {
  const auto time = ReadTime(text, absl::Now(), absl::LocalTimeZone());
  if (!time) return;
  const int64_t seconds = absl::ToUnixSeconds(*time);
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(*time - absl::FromUnixSeconds(seconds))));
}

v1::SubscribeRequest RequestOf(const AlertsTexts& texts) {
  v1::SubscribeRequest request;
  if (const auto position = ParsePosition(texts.since)) {
    request.mutable_since()->set_epoch(position->epoch);
    request.mutable_since()->set_sequence(position->sequence);
  }
  request.set_follow(texts.follow);
  request.set_only_new(texts.only_new);
  v1::AlertFilter& filter = *request.mutable_filter();
  for (const std::string& vm : texts.vms) filter.add_vm(vm);
  for (const std::string& text : texts.points) {
    v1::Point point;
    if (v1::Point_Parse(text, &point)) filter.add_point(point);
  }
  for (const std::string& spec : texts.specs) filter.add_spec(spec);
  if (!texts.from.empty()) SetTime(texts.from, *filter.mutable_from());
  if (!texts.until.empty()) SetTime(texts.until, *filter.mutable_until());
  filter.set_text(texts.text);
  v1::Severity severity;
  if (v1::Severity_Parse(texts.min_severity, &severity)) filter.set_min_severity(severity);
  return request;
}

}  // namespace

std::variant<Invocation, int> ParseArguments(int argc, const char* const* argv) {
  Invocation invocation;
  CLI::App app(kDescription, "kvmsentry");
  app.set_version_flag("--version", std::string("kvmsentry " KVMSENTRY_VERSION),
                       "Show the version and end");
  app.set_help_all_flag("--help-all", "Show the help of all commands and end");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  app.fallthrough();  // --socket and --color may stand after the command too

  invocation.common.socket = kDefaultSocket;
  app.add_option("--socket", invocation.common.socket, "Unix socket of kvmsentryd")
      ->type_name("PATH")
      ->capture_default_str();
  std::string color = "auto";
  app.add_option("--color", color,
                 "Color the output: always, never, or auto: on a terminal, unless NO_COLOR is set")
      ->type_name("WHEN")
      ->transform(OneOf({"auto", "always", "never"}))
      ->capture_default_str();

  AlertsTexts texts;
  AlertsCommand alerts;
  AddAlerts(app, texts, alerts);

  VmsCommand vms;
  std::vector<std::string> vm_globs;
  CLI::App& vms_app = *app.add_subcommand("vms", "Show the VMs of the host and their scores");
  vms_app.add_option("--vm", vm_globs, "Only those whose name or uuid matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  std::string vm_name;
  vms_app
      .add_option("NAME", vm_name, "Show all that this VM was given, and where it is known from")
      ->type_name("");
  vms_app.add_flag("--given", vms.given, "The same of each VM");
  vms_app.add_flag("--counts", vms.counts, "Show the counts of each VM, feature by feature");
  vms_app.add_flag("--exits", vms.exits,
                   "Show why each VM left its guest, and for how long; with --json, by vCPU");
  vms_app.add_flag("--devices", vms.devices,
                   "Show what each VM has on the host: taps, vhost, disks");
  AddJson(vms_app, vms.json);

  StatusCommand status;
  CLI::App& status_app = *app.add_subcommand(
      "status", "Show whether all is well; exit code 0 yes, 1 warning, 2 critical, 3 unknown");
  status_app.add_flag("--hooks", status.parts.hooks, "Show each hook, its variant and its cost");
  status_app.add_flag("--specs", status.parts.specs, "Show each spec and whether it is covered");
  status_app.add_flag("--losses", status.parts.losses, "Show losses by reason, and limits");
  AddJson(status_app, status.json);

  CLI::App& spec = *app.add_subcommand("spec", "The spec library");
  spec.require_subcommand(1);
  SpecLintCommand lint;
  CLI::App& lint_app = *spec.add_subcommand("lint", "Check a library; needs no daemon");
  lint_app.add_option("DIR", lint.dir, "Folder of *.textproto files")->required()->type_name("");
  SpecListCommand list;
  CLI::App& list_app = *spec.add_subcommand("list", "Show the loaded library");
  AddJson(list_app, list.json);
  SpecExplainCommand explain;
  CLI::App& explain_app =
      *spec.add_subcommand("explain", "Explain a spec of the loaded library in words");
  explain_app.add_option("ID", explain.id, "The spec's id")->required()->type_name("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return 0;
    // A monitor must not take it for a critical host.
    return status_app.parsed() ? kNoAnswer : kUsageError;
  }

  invocation.common.color = color == "always"  ? ColorWhen::kAlways
                            : color == "never" ? ColorWhen::kNever
                                               : ColorWhen::kAuto;
  if (app.got_subcommand("alerts")) {
    alerts.request = RequestOf(texts);
    invocation.command = std::move(alerts);
  } else if (app.got_subcommand("vms")) {
    for (const std::string& glob : vm_globs) vms.request.add_vm(glob);
    if (!vm_name.empty()) vms.request.add_vm(vm_name);
    vms.given |= !vm_name.empty();
    vms.request.set_given(vms.given);
    vms.request.set_vcpu_exits(vms.exits && vms.json);
    invocation.command = std::move(vms);
  } else if (app.got_subcommand("status")) {
    invocation.command = status;
  } else if (lint_app.parsed()) {
    invocation.command = std::move(lint);
  } else if (explain_app.parsed()) {
    invocation.command = std::move(explain);
  } else {
    invocation.command = list;
  }
  return invocation;
}

}  // namespace kvmsentry
