#include "sensor/cli/alert_options.h"

#include <tuple>

#include "absl/time/clock.h"

#include "sensor/alert/position.h"
#include "sensor/cli/output_options.h"
#include "sensor/cli/read_time.h"
#include "sensor/cli/validators.h"
#include "sensor/rpc/convert.h"
#include "sensor/spec/enum_names.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

constexpr char kColumns[] =
    "A line: time; + opened, ~ continues, - cleared; severity; VM; spec; summary. [s7]: "
    "silenced by 7.";

}  // namespace

void AlertOptions::AddTo(CLI::App& app) {
  CLI::App& alerts = *app.add_subcommand("alerts", "Show the alerts that are kept, and new ones");
  alerts.footer(kColumns);
  alerts.add_flag("-f,--follow", follow_, "Continue with new alerts until interrupted");
  CLI::Option* since =
      alerts
          .add_option("--since", since_,
                      "Only what came after this position (\"position\" in the JSON)")
          ->type_name("EPOCH:SEQUENCE")
          ->check(CheckPosition, "");
  alerts.add_flag("--only-new", only_new_, "Skip the alerts that are kept")->excludes(since);
  alerts.add_option("--vm", vms_, "Only of VMs whose name or uuid matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->check(CheckGlob, "");
  alerts.add_option("--point", points_, "Only of this point, K1-K7, R1-R5; may be repeated")
      ->type_name("POINT")
      ->allow_extra_args(false)
      ->transform(OneOf(NamesOf(*v1::Point_descriptor())));
  alerts.add_option("--spec", specs_, "Only of specs whose id matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->check(CheckGlob, "");
  alerts
      .add_option("--min-severity", min_severity_,
                  "Only of this severity or worse: INFO, NOTICE, WARNING, CRITICAL")
      ->type_name("SEVERITY")
      ->transform(OneOf(NamesOf(*v1::Severity_descriptor())));
  for (const auto& [option, value, text] :
       {std::tuple("--from", &from_, "Only from this time on: 2026-11-29 14:00, or 2h ago"),
        std::tuple("--until", &until_, "Only before this time")}) {
    alerts.add_option(option, *value, text)->type_name("TIME")->check(CheckTime, "");
  }
  alerts.add_option("--text", text_, "Only with this in summary, names or evidence")
      ->type_name("TEXT");
  alerts.add_flag("--hide-silenced", hide_silenced_, "Leave out what is silenced");
  CLI::Option* open = alerts.add_flag("--open", command_.open, "Only alerts that are open now");
  CLI::Option* last = alerts.add_option("--last", command_.last, "Only so many, the newest")
                          ->type_name("COUNT")
                          ->check(Within(1, 1'000'000));
  for (const char* other : {"--follow", "--since", "--only-new"}) {
    open->excludes(alerts.get_option(other));
    last->excludes(alerts.get_option(other));
  }
  open->excludes(last);
  AddJson(alerts, command_.json);
  alerts.add_flag("-v,--verbose", command_.verbose, "Show why, where to look, and what was seen")
      ->excludes(alerts.get_option("--json"));
  AddWide(alerts, command_.wide, kCutsNoLine);
}

AlertsCommand AlertOptions::Command() const {
  AlertsCommand command = command_;
  command.request = Request();
  return command;
}

v1::SubscribeRequest AlertOptions::Request() const {
  v1::SubscribeRequest request;
  if (const auto position = ParsePosition(since_)) {
    request.mutable_since()->set_epoch(position->epoch);
    request.mutable_since()->set_sequence(position->sequence);
  }
  request.set_follow(follow_);
  request.set_only_new(only_new_);
  v1::AlertFilter& filter = *request.mutable_filter();
  for (const std::string& vm : vms_) filter.add_vm(vm);
  for (const std::string& text : points_) {
    v1::Point point;
    if (v1::Point_Parse(text, &point)) filter.add_point(point);
  }
  for (const std::string& spec : specs_) filter.add_spec(spec);
  const auto read = [](const std::string& text) {
    return ReadTime(text, absl::Now(), absl::LocalTimeZone());
  };
  if (const auto from = read(from_)) *filter.mutable_from() = ToProto(*from);
  if (const auto until = read(until_)) *filter.mutable_until() = ToProto(*until);
  filter.set_text(text_);
  filter.set_hide_silenced(hide_silenced_);
  v1::Severity severity;
  if (v1::Severity_Parse(min_severity_, &severity)) filter.set_min_severity(severity);
  return request;
}

}  // namespace kvmsentry
