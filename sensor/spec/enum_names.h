// The values of the schema's enums, as they are written in specs and on command lines.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace kvmsentry {

// The names of all values but the one that means "not set".
std::vector<std::string> NamesOf(const google::protobuf::EnumDescriptor& type);

}  // namespace kvmsentry
