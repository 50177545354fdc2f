#include "sensor/cli/silence_options.h"

#include "sensor/cli/output_options.h"
#include "sensor/cli/read_time.h"
#include "sensor/cli/validators.h"
#include "sensor/rpc/convert.h"
#include "sensor/spec/enum_names.h"
#include "sensor/usage/values.h"

namespace kvmsentry {

void SilenceOptions::AddTo(CLI::App& app) {
  CLI::App& silence =
      *app.add_subcommand("silence", "Alerts that are known and call for nobody, for a while");
  silence.require_subcommand(1);
  add_ = silence.add_subcommand("add", "Silence alerts: they are marked, and none is lost");
  add_->footer(
      "A silence needs --vm, --spec or --point; --vm '*' matches all VMs.\n"
      "An alert is silenced where all of --vm, --spec, --point and --severity that are "
      "given match.\nAlerts of the sensor itself (self-...) match their exact id only.");
  add_->add_option("--vm", vm_, "Of VMs whose name or uuid matches")
      ->type_name("GLOB")
      ->check(CheckGlob, "");
  add_->add_option("--spec", spec_, "Of specs whose id matches")
      ->type_name("GLOB")
      ->check(CheckGlob, "");
  add_->add_option("--point", point_, "Of this point, K1-K7, R1-R5")
      ->type_name("POINT")
      ->transform(OneOf(NamesOf(*v1::Point_descriptor())));
  add_->add_option("--severity", severity_, "Of this severity or less; what is worse is heard")
      ->type_name("SEVERITY")
      ->transform(OneOf(NamesOf(*v1::Severity_descriptor())));
  add_->add_option("--for", lasts_, "For so long, at most 30 days: 90m, 2h, 3d")
      ->required()
      ->type_name("TIME")
      ->check(CheckSilenceTime, "");
  add_->add_option("--comment", comment_, "Why, for who comes after you")
      ->required()
      ->type_name("TEXT")
      ->check(CheckNotEmpty, "");
  add_->add_option("--author", author_, "Who says so; by default your login name")
      ->type_name("NAME");
  add_->callback([this] {
    if (!vm_.empty() || !spec_.empty() || !point_.empty()) return;
    throw CLI::ValidationError(
        "say which alerts: --vm GLOB, --spec GLOB or --point POINT; --vm '*' is all VMs",
        CLI::ExitCodes::RequiredError);
  });
  list_ = silence.add_subcommand("list", "Show the silences that are active");
  AddJson(*list_, list_command_.json);
  AddWide(*list_, list_command_.wide, kCutsNoLine);
  end_ = silence.add_subcommand("end", "End a silence before its time");
  end_->add_option("ID", end_command_.id, "Its id")->required()->type_name("");
}

std::optional<Command> SilenceOptions::Parsed() const {
  if (end_->parsed()) return end_command_;
  if (list_->parsed()) return list_command_;
  if (add_->parsed()) return SilenceAddCommand{Request()};
  return std::nullopt;
}

v1::AddSilenceRequest SilenceOptions::Request() const {
  v1::AddSilenceRequest request;
  v1::SilenceMatch& match = *request.mutable_match();
  match.set_vm(vm_);
  match.set_spec(spec_);
  v1::Point point;
  if (v1::Point_Parse(point_, &point)) match.set_point(point);
  v1::Severity severity;
  if (v1::Severity_Parse(severity_, &severity)) match.set_max_severity(severity);
  if (const auto lasts = ReadDuration(lasts_)) {
    *request.mutable_lasts() = ToProto(*lasts);
  }
  request.set_comment(comment_);
  request.set_author(author_);
  return request;
}

}  // namespace kvmsentry
