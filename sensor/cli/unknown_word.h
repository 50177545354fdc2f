// A word on the command line that is none of ours.
#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace kvmsentry {

// Of a command line that APP could not parse: which word it does not know, and which one was
// probably meant. Empty where all words are known.
std::string UnknownWord(const CLI::App& app);

}  // namespace kvmsentry
