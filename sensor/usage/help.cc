#include "sensor/usage/help.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "sensor/base/wrap.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kTextsAt = 26;  // help2man wants 20 at least below a name that is longer
constexpr size_t kNoLimit = 1000;

using Options = std::vector<const CLI::Option*>;

// NAME with TEXT beside it, or below it where NAME is too long.
void AppendEntry(const std::string& name, const std::string& text, std::string& out) {
  std::string before = absl::StrCat("  ", name);
  if (before.size() + 2 > kTextsAt) {
    absl::StrAppend(&out, before, "\n");
    before.clear();
  }
  for (const std::string& line : WrapTo(text, kWidth - kTextsAt, kNoLimit)) {
    before.resize(kTextsAt, ' ');
    absl::StrAppend(&out, before, line, "\n");
    before.clear();
  }
}

void AppendText(const std::string& text, absl::string_view indent, std::string& out) {
  for (const absl::string_view paragraph : absl::StrSplit(text, '\n')) {
    for (const std::string& line : WrapTo(paragraph, kWidth - indent.size(), kNoLimit)) {
      absl::StrAppend(&out, indent, line, "\n");
    }
  }
}

// "Only so many, the newest (1 to 1000000)"
std::string TextOf(const CLI::Option& option) {
  const ValueText value = ValueOf(option);
  std::vector<std::string> remarks;
  if (option.get_required() && !option.get_positional()) remarks.emplace_back("required");
  if (!value.bounds.empty()) remarks.push_back(value.bounds);
  if (!value.preset.empty()) remarks.push_back(absl::StrCat("default ", value.preset));
  const std::string& text = option.get_description();
  return remarks.empty() ? text : absl::StrCat(text, " (", absl::StrJoin(remarks, "; "), ")");
}

// "-f, --follow", "--last COUNT"
std::string NameOf(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(/*positional=*/true);
  const std::string names = absl::StrReplaceAll(
      option.get_name(/*positional=*/false, /*all_options=*/true), {{",", ", "}});
  const std::string value = ValueOf(option).name;
  return value.empty() ? names : absl::StrCat(names, " ", value);
}

Options PositionalsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

Options OptionsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void AppendOptions(const Options& options, std::string& out) {
  for (const CLI::Option* option : options) AppendEntry(NameOf(*option), TextOf(*option), out);
}

// "kvmsentry vms [OPTIONS] [NAME]"
std::string UsageOf(const CLI::App& app, const std::string& name) {
  std::string usage = name;
  if (!OptionsOf(app).empty()) absl::StrAppend(&usage, " [OPTIONS]");
  for (const CLI::Option* option : PositionalsOf(app)) {
    const std::string positional = NameOf(*option);
    absl::StrAppend(&usage, " ",
                    option->get_required() ? positional : absl::StrCat("[", positional, "]"));
  }
  if (!CommandsOf(app).empty()) absl::StrAppend(&usage, " COMMAND");
  return usage;
}

void AppendFooter(const CLI::App& app, absl::string_view indent, std::string& out) {
  if (app.get_footer().empty()) return;
  out.push_back('\n');
  AppendText(app.get_footer(), indent, out);
}

// What can be given to each of APP's commands, as sections of one page.
void AppendCommands(const CLI::App& app, const std::string& name, std::string& out) {
  constexpr absl::string_view kIndent = "  ";
  for (const CLI::App* command : CommandsOf(app)) {
    const std::string its_name = absl::StrCat(name, " ", command->get_name());
    absl::StrAppend(&out, "\n", UsageOf(*command, its_name), ":\n");
    AppendText(command->get_description(), kIndent, out);
    Options options = PositionalsOf(*command);
    for (const CLI::Option* option : OptionsOf(*command)) {
      if (option != command->get_help_ptr()) options.push_back(option);
    }
    if (!options.empty()) out.push_back('\n');
    AppendOptions(options, out);
    AppendFooter(*command, kIndent, out);
    AppendCommands(*command, its_name, out);
  }
}

}  // namespace

std::string Help::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string out;
  AppendText(app->get_description(), "", out);
  absl::StrAppend(&out, "Usage: ", UsageOf(*app, name), "\n");
  if (const Options positionals = PositionalsOf(*app); !positionals.empty()) {
    absl::StrAppend(&out, "\nArguments:\n");
    AppendOptions(positionals, out);
  }
  absl::StrAppend(&out, "\nOptions:\n");
  AppendOptions(OptionsOf(*app), out);
  if (app->get_parent() != nullptr) {
    const CLI::App* program = app;
    while (program->get_parent() != nullptr) program = program->get_parent();
    absl::StrAppend(&out, "  and those of every command: ", program->get_name(), " --help\n");
  }
  if (const auto commands = CommandsOf(*app); !commands.empty()) {
    absl::StrAppend(&out, "\nCommands:\n");
    for (const CLI::App* command : commands) {
      AppendEntry(command->get_name(), command->get_description(), out);
    }
  }
  AppendFooter(*app, "", out);
  if (mode == CLI::AppFormatMode::All) AppendCommands(*app, name, out);
  return out;
}

void UseHelp(CLI::App& app) {
  app.formatter(std::make_shared<Help>());
  app.set_help_flag("-h,--help", "Show this help and end");
}

}  // namespace kvmsentry
