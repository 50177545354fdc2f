#include "sensor/usage/usage_error.h"

#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

// What is said of ARGUMENTS, which must be wrong.
std::string ErrorOf(const std::string& arguments) {
  CLI::App app("d", "prog");
  std::string specs;
  app.add_option("--specs", specs, "s");
  CLI::App& outer = *app.add_subcommand("outer", "o");
  outer.require_subcommand(1);
  outer.add_subcommand("inner", "i")->add_option("NAME", specs, "n")->required();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error);
  }
  ADD_FAILURE() << "not refused: " << arguments;
  return "";
}

TEST(UsageError, NamesTheProgramTheNearestAndWhereHelpIs) {
  EXPECT_EQ(ErrorOf("--spec specs"),
            "prog: unknown option '--spec'; did you mean '--specs'?\n"
            "\"prog --help\" shows what can be given.\n");
  EXPECT_EQ(ErrorOf("outre"),
            "prog: unknown command 'outre'; did you mean 'outer'?\n"
            "\"prog --help\" shows what can be given.\n");
  EXPECT_EQ(ErrorOf("outer innre"),
            "prog: unknown command 'innre' of outer; did you mean 'inner'?\n"
            "\"prog outer --help\" shows what can be given.\n");
  EXPECT_EQ(ErrorOf("outer"),
            "prog: a command is required\n"
            "\"prog outer --help\" shows what can be given.\n");
  EXPECT_EQ(ErrorOf("outer inner"),
            "prog: NAME is required\n"
            "\"prog outer inner --help\" shows what can be given.\n");
}

TEST(UsageError, NothingInItCanCommandATerminal) {
  EXPECT_EQ(ErrorOf("--\x1b[2J").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kvmsentry
