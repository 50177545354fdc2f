#include "sensor/usage/usage_error.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

// The command that was reached before the word that is unknown.
const CLI::App& Deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : Deepest(*parsed.front());
}

// "kvmsentry spec lint"
std::string PathOf(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : absl::StrCat(PathOf(*app.get_parent()), " ", app.get_name());
}

std::vector<std::string> NamesOfOptions(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> NamesOfCommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

}  // namespace

std::string UnknownWord(const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (unknown.empty()) return "";
  const CLI::App& command = Deepest(app);
  const bool is_option = absl::StartsWith(unknown[0], "-");
  const std::string word = is_option ? unknown[0].substr(0, unknown[0].find('=')) : unknown[0];
  const std::string meant =
      Meant(word, is_option ? NamesOfOptions(&command) : NamesOfCommands(command));
  const bool takes_commands = !NamesOfCommands(command).empty();
  return absl::StrCat(is_option        ? "unknown option "
                      : takes_commands ? "unknown command "
                                       : "unexpected word ",
                      "'", word, "'", command.get_parent() == nullptr ? "" : " of ",
                      command.get_parent() == nullptr ? "" : command.get_name(),
                      meant.empty() ? "" : absl::StrCat("; did you mean '", meant, "'?"));
}

std::string UsageError(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& command = Deepest(app);
  std::string text = UnknownWord(app);
  if (text.empty()) {
    const bool lacks_command = error.get_name() == "RequiredError" &&
                               command.get_require_subcommand_min() > 0 &&
                               command.get_subcommands().empty();
    text = lacks_command ? "a command is required" : error.what();
  }
  return absl::StrCat(app.get_name(), ": ", EscapeAgain(text), "\n\"", PathOf(command),
                      " --help\" shows what can be given.\n");
}

}  // namespace kvmsentry
