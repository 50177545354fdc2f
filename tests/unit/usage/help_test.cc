#include "sensor/usage/help.h"

#include <string>

#include <gtest/gtest.h>

#include "sensor/usage/values.h"

namespace kvmsentry {
namespace {

// A program with an option of each kind, and with commands of two levels.
struct Program {
  CLI::App app{"some: does something", "some"};
  uint32_t most = 512;
  std::string where = "here";
  std::string file;
  std::string name;
  std::vector<std::string> users;
  bool flag = false;

  Program() {
    UseHelp(app);
    app.add_option("--most", most, "VMs at most")
        ->type_name("N")
        ->check(Within(1, 65536))
        ->capture_default_str();
    CLI::Option* at = app.add_option("--where", where, "Where it is")->type_name("HOST:PORT");
    app.add_option("--a-rather-long-name", file,
                   "A text that is too long for the rest of a line, so that it goes on below it")
        ->type_name("FILE")
        ->check(CLI::Validator(CLI::ExistingFile).description(""))
        ->excludes(at);
    app.add_option("--user", users, "Who; may be repeated")
        ->type_name("USER")
        ->allow_extra_args(false)
        ->capture_default_str();
    CLI::App& outer = *app.add_subcommand("outer", "The outer one");
    CLI::App& inner = *outer.add_subcommand("inner", "The inner one");
    inner.add_option("NAME", name, "Its name")->required()->type_name("");
    inner.add_flag("-f,--flag", flag, "A flag");
    inner.footer("A line.\nAnother.");
    app.set_help_all_flag("--help-all", "Show all");
    app.footer("At the end.");
  }
};

TEST(Help, FitsAndShowsValuesBoundsAndDefaults) {
  EXPECT_EQ(Program().app.help(),
            "some: does something\n"
            "Usage: some [OPTIONS] COMMAND\n"
            "\n"
            "Options:\n"
            "  -h, --help              Show this help and end\n"
            "  --most N                VMs at most (1 to 65536; default 512)\n"
            "  --where HOST:PORT       Where it is\n"
            "  --a-rather-long-name FILE\n"
            "                          A text that is too long for the rest of a line, so\n"
            "                          that it goes on below it\n"
            "  --user USER             Who; may be repeated\n"
            "  --help-all              Show all\n"
            "\n"
            "Commands:\n"
            "  outer                   The outer one\n"
            "\n"
            "At the end.\n");
}

TEST(Help, OfACommandSaysWhereTheOtherOptionsAre) {
  Program program;
  try {
    program.app.parse("outer inner --help");
    FAIL() << "it asks for help";
  } catch (const CLI::CallForHelp&) {
  }
  EXPECT_EQ(program.app.help(),
            "The inner one\n"
            "Usage: some outer inner [OPTIONS] NAME\n"
            "\n"
            "Arguments:\n"
            "  NAME                    Its name\n"
            "\n"
            "Options:\n"
            "  -h, --help              Show this help and end\n"
            "  -f, --flag              A flag\n"
            "  and those of every command: some --help\n"
            "\n"
            "A line.\n"
            "Another.\n");
}

TEST(Help, OfAllHasEachCommandHoweverDeep) {
  const std::string all = Program().app.help("", CLI::AppFormatMode::All);
  EXPECT_NE(all.find("\n"
                     "At the end.\n"
                     "\n"
                     "some outer [OPTIONS] COMMAND:\n"
                     "  The outer one\n"
                     "\n"
                     "some outer inner [OPTIONS] NAME:\n"
                     "  The inner one\n"
                     "\n"
                     "  NAME                    Its name\n"
                     "  -f, --flag              A flag\n"
                     "\n"
                     "  A line.\n"
                     "  Another.\n"),
            std::string::npos)
      << all;
}

}  // namespace
}  // namespace kvmsentry
