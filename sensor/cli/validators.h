// What the values of options may be. An error names the value, and the nearest that may be.
#pragma once

#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "CLI/CLI.hpp"

namespace kvmsentry {

// The names of an enum of the protos, without the one that means "not set".
std::vector<std::string> NamesOf(const google::protobuf::EnumDescriptor& descriptor);

// Lets one of NAMES pass, in any case, and writes it as in NAMES.
CLI::Validator OneOf(const std::vector<std::string>& names);

std::string CheckPosition(const std::string& text);
std::string CheckTime(const std::string& text);
std::string CheckDuration(const std::string& text);  // "2h", "90m", "3d"

// The one of NAMES that WRITTEN is probably meant to be; empty where none is like it.
std::string Meant(const std::string& written, const std::vector<std::string>& names);

}  // namespace kvmsentry
