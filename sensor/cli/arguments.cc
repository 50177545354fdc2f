#include "sensor/cli/arguments.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"

#include "sensor/base/endpoint.h"
#include "sensor/cli/alert_options.h"
#include "sensor/cli/health.h"
#include "sensor/cli/output_options.h"
#include "sensor/cli/silence_options.h"
#include "sensor/cli/spec_arguments.h"
#include "sensor/cli/validators.h"
#include "sensor/rpc/server.h"
#include "sensor/usage/help.h"
#include "sensor/usage/usage_error.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

constexpr char kDescription[] =
    "kvmsentry: shows what kvmsentryd sees of this host's virtual machines";

constexpr char kFooter[] =
    "\"kvmsentry help COMMAND\" shows the options of a command.\n"
    "Exit codes: 0 success; 1 a failure, or problems found; 2 wrong usage. Status and health have "
    "codes of their own, in their help.";

std::string CheckAddress(const std::string& text) {
  return std::string(ParseEndpoint(text).status().message());
}

void AddTarget(CLI::App& app, Target& target) {
  target.socket = kDefaultSocket;
  CLI::Option* socket = app.add_option("--socket", target.socket, "Unix socket of kvmsentryd")
                            ->type_name("PATH")
                            ->capture_default_str();
  CLI::Option* address =
      app.add_option("--address", target.address, "Reach kvmsentryd over TCP, by mutual TLS")
          ->type_name("HOST:PORT")
          ->check(CheckAddress, "")
          ->excludes(socket);
  for (const auto& [option, file, text] :
       {std::tuple("--tls-cert", &target.cert, "Your certificate, in PEM"),
        std::tuple("--tls-key", &target.key, "Its private key, in PEM"),
        std::tuple("--tls-ca", &target.ca, "Authority of the server's certificate, in PEM")}) {
    address->needs(app.add_option(option, *file, text)
                       ->type_name("FILE")
                       ->check(CLI::Validator(CLI::ExistingFile).description(""))
                       ->needs(address));
  }
}

// Holds what CLI11 fills.
struct VmOptions {
  VmsCommand command;
  std::vector<std::string> globs;
  std::string sort = VmKeyNames().front();

  CLI::App& AddTo(CLI::App& app) {
    CLI::App& vms = *app.add_subcommand("vms", "Show the VMs of the host and their scores");
    CLI::Option* name =
        vms.add_option("NAME", command.name, "One VM in full, with its open alerts")->type_name("");
    vms.add_option("--vm", globs, "Only those whose name or uuid matches; may be repeated")
        ->type_name("GLOB")
        ->allow_extra_args(false)
        ->check(CheckGlob, "")
        ->excludes(name);
    vms.add_option("--sort", sort,
                   "Order by severity, score, name, age, open, cpu, memory, disk, net or rate")
        ->type_name("KEY")
        ->transform(OneOf(VmKeyNames()))
        ->capture_default_str();
    vms.add_flag("--counts", command.counts, "Show the counts of each VM, feature by feature");
    vms.add_flag("--exits", command.exits,
                 "Show why each VM left its guest, and for how long; with --json, by vCPU");
    vms.add_flag("--devices", command.devices,
                 "Show what each VM has on the host: taps, vhost, disks");
    vms.add_flag("--given", command.given,
                 "Show what each VM was given, and where it is known from; vms NAME does");
    AddJson(vms, command.json);
    AddWide(vms, command.wide);
    return vms;
  }

  VmsCommand Command() const {
    VmsCommand parsed = command;
    for (const std::string& glob : globs) parsed.request.add_vm(glob);
    parsed.request.set_vcpu_exits(command.exits && command.json);
    parsed.given |= !command.name.empty();
    parsed.request.set_given(parsed.given);
    const std::vector<std::string> keys = VmKeyNames();
    parsed.sort = static_cast<VmKey>(std::ranges::find(keys, sort) - keys.begin());
    return parsed;
  }
};

}  // namespace

std::variant<Invocation, int> ParseArguments(int argc, const char* const* argv) {
  Invocation invocation;
  CLI::App app(kDescription, "kvmsentry");
  UseHelp(app);
  app.set_version_flag("--version", std::string("kvmsentry " KVMSENTRY_VERSION),
                       "Show the version and end");
  app.require_subcommand(1);
  app.fallthrough();  // --socket and --color may stand after the command too

  AddTarget(app, invocation.common.target);
  std::string color = "auto";
  app.add_option("--color", color,
                 "Color the output: always, never, or auto: on a terminal, unless NO_COLOR is set")
      ->type_name("WHEN")
      ->transform(OneOf({"auto", "always", "never"}))
      ->capture_default_str();

  StatusCommand status;
  CLI::App& status_app = *app.add_subcommand("status", "Show whether all is well");
  status_app.footer(
      "Exit codes: 0 all is well; 1 a warning; 2 critical; 3 unknown: not reached, or wrong "
      "usage.");
  status_app.add_flag("--hooks", status.parts.hooks, "Show each hook, its variant and its cost");
  status_app.add_flag("--specs", status.parts.specs, "Show each spec and whether it is covered");
  status_app.add_flag("--losses", status.parts.losses, "Show losses by reason, limits and clients");
  AddJson(status_app, status.json);
  AddWide(status_app, status.parts.wide, "Cut nothing");

  CLI::App& health_app = *app.add_subcommand("health", "Show whether kvmsentryd works");
  health_app.footer("Exit codes: 0 it works; 2 it does not; 3 not reached, or wrong usage.");

  AlertOptions alerts;
  alerts.AddTo(app);
  VmOptions vms;
  const CLI::App& vms_app = vms.AddTo(app);

  MembersCommand members;
  CLI::App& members_app = *app.add_subcommand(
      "members", "Show which ports, MSRs, ioctls, pages ... a VM was seen with");
  members_app.add_option("VM", *members.request.mutable_vm(), "The VM's name or uuid")
      ->required()
      ->type_name("");
  members_app
      .add_option("FEATURE", *members.request.mutable_feature(),
                  "One set, as a spec names it (pio.port) or its members (port); else all of them")
      ->type_name("");
  AddJson(members_app, members.json);
  AddWide(members_app, members.wide);

  SilenceOptions silences;
  silences.AddTo(app);

  SpecArguments spec(app);

  // Commands inherit what is set before they are made, and these are not theirs.
  app.set_help_all_flag("--help-all", "Show the help of all commands and end");
  app.footer(kFooter);

  app.failure_message(
      [](const CLI::App* failed, const CLI::Error& error) { return UsageError(*failed, error); });
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const bool asks_help = !words.empty() && words[0] == "help";
  if (asks_help) words[0] = "--help";
  std::ranges::reverse(words);  // as CLI11 takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    if (!asks_help || UnknownWord(app).empty()) {
      std::fputs(app.help().c_str(), stdout);
      return 0;
    }
    app.exit(CLI::ExtrasError(app.remaining(/*recurse=*/true)));
    return kUsageError;
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return 0;
    // A monitor must not take it for a critical host.
    return status_app.parsed() || health_app.parsed() ? kNoAnswer : kUsageError;
  }

  invocation.common.color = color == "always"  ? ColorWhen::kAlways
                            : color == "never" ? ColorWhen::kNever
                                               : ColorWhen::kAuto;
  if (app.got_subcommand("alerts")) {
    invocation.command = alerts.Command();
  } else if (vms_app.parsed()) {
    invocation.command = vms.Command();
  } else if (members_app.parsed()) {
    invocation.command = std::move(members);
  } else if (status_app.parsed()) {
    invocation.command = status;
  } else if (health_app.parsed()) {
    invocation.command = HealthCommand{};
  } else if (const auto silence = silences.Parsed()) {
    invocation.command = *silence;
  } else {
    invocation.command = spec.Take();
  }
  return invocation;
}

}  // namespace kvmsentry
