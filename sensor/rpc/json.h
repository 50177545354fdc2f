// What programs read.
#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace kvmsentry {

// MESSAGE as one object of JSON on a line of its own: the protos' field names, zeros included,
// 64-bit numbers as texts (the canonical mapping of protobuf).
std::string JsonLine(const google::protobuf::Message& message);

}  // namespace kvmsentry
