// What the values of options may be. An error names the value, and the nearest that may be.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace kvmsentry {

// Lets one of NAMES pass, in any case, and writes it as in NAMES.
CLI::Validator OneOf(const std::vector<std::string>& names);

// Lets a number from LEAST to MOST pass, both of them whole; help shows them.
CLI::Validator Within(double least, double most);

// The one of NAMES that WRITTEN is probably meant to be; empty where none is like it.
std::string Meant(const std::string& written, const std::vector<std::string>& names);

// An option's value as help shows it.
struct ValueText {
  std::string name;    // "MIB"; empty for a flag
  std::string bounds;  // "1 to 65536", by Within; else empty
  std::string preset;  // the default; empty where there is none to show
};
ValueText ValueOf(const CLI::Option& option);

}  // namespace kvmsentry
