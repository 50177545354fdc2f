// What protobuf's text parser says of a file, in the words of the spec language: it knows fields
// and their values, and nothing of messages, their types and packages.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

struct Reworded {
  std::string message;
  // Of an unknown field: the field that was probably meant; empty where none is near.
  std::string meant = {};
};

// COMPLAINT as the parser gives it, without its full stop; what is not known here stays as it is.
// What the file wrote is escaped and cut. WITHIN is the field around the place, empty at the top of
// the file.
Reworded Reword(absl::string_view complaint, absl::string_view within);

}  // namespace kvmsentry
