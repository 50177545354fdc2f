// What is said of a command line that is wrong.
#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace kvmsentry {

// The exit code of wrong usage.
inline constexpr int kUsageError = 2;

// Of a command line that APP could not parse: which word it does not know, and which one was
// probably meant. Empty where all words are known.
std::string UnknownWord(const CLI::App& app);

// What to print of ERROR, which APP's parsing ended with: a line that says what is wrong, with the
// program's name before it, and one that says where help is.
std::string UsageError(const CLI::App& app, const CLI::Error& error);

}  // namespace kvmsentry
