#include "sensor/cli/spec_arguments.h"

#include <utility>

#include "sensor/cli/output_options.h"
#include "sensor/cli/validators.h"

namespace kvmsentry {

SpecArguments::SpecArguments(CLI::App& app) {
  CLI::App& spec = *app.add_subcommand("spec", "The spec library");
  spec.require_subcommand(1);

  lint_app_ =
      spec.add_subcommand("lint", "Check the library, or a file or folder alone; needs no daemon");
  CLI::Option* path = lint_app_->add_option(
      "PATH", lint_.path, "File or folder that is checked alone; without it, both layers are");
  path->type_name("");
  AddLayers(*lint_app_, lint_.layers);
  for (const char* layer : {"--specs", "--site-specs"})
    path->excludes(lint_app_->get_option(layer));

  CLI::App& list = *spec.add_subcommand("list", "Show the loaded library");
  AddJson(list, list_.json);
  AddWide(list, list_.wide);

  diff_app_ = spec.add_subcommand("diff", "Show what the site changes; needs no daemon");
  AddLayers(*diff_app_, diff_.layers);

  explain_app_ = spec.add_subcommand(
      "explain", "Explain a spec of the loaded library in words, and where each field comes from");
  explain_app_->add_option("ID", explain_.id, "The spec's id")->required()->type_name("");
  CLI::Option* vm = explain_app_->add_option(
      "--vm", explain_.vms,
      "Say whether it applies to the VMs whose name or uuid matches; may be repeated");
  vm->type_name("GLOB")->allow_extra_args(false)->check(CheckGlob, "");
  AddLayers(*explain_app_, explained_);
  for (const char* layer : {"--specs", "--site-specs"}) {
    vm->excludes(explain_app_->get_option(layer));
  }

  reload_app_ = spec.add_subcommand("reload", "Have the daemon read the library again");

  apply_app_ = spec.add_subcommand(
      "apply", "Make these files the site's layer, if they have no error, and load it");
  apply_app_->add_option("PATH", apply_.path, "Folder of *.textproto files, or one file")
      ->required()
      ->type_name("");
  apply_app_->add_flag("--check", apply_.check, "Only check it, against what is loaded");
  apply_app_->add_flag("--empty", apply_.empty,
                       "Let a folder without a file take away what the site changes");
}

void SpecArguments::AddLayers(CLI::App& command, SpecPaths& layers) {
  command.add_option("--specs", layers.shipped, "Folder of the shipped specs")
      ->type_name("DIR")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--site-specs",
          [&layers](const std::string& path) {
            layers.site = path;
            layers.site_is_named = true;
          },
          "Folder, or a file, in which the site adds, disables and overrides specs")
      ->type_name("PATH")
      ->default_str(layers.site);
}

Command SpecArguments::Take() {
  if (lint_app_->parsed()) return std::move(lint_);
  if (diff_app_->parsed()) return std::move(diff_);
  if (reload_app_->parsed()) return SpecReloadCommand();
  if (apply_app_->parsed()) return std::move(apply_);
  if (!explain_app_->parsed()) return list_;
  for (const char* layer : {"--specs", "--site-specs"}) {
    if (explain_app_->get_option(layer)->count() > 0) explain_.layers = explained_;
  }
  return std::move(explain_);
}

}  // namespace kvmsentry
