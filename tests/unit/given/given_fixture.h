// Shorthands for tests of what VMs were given.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/given/facts.h"
#include "sensor/given/given.h"

namespace kvmsentry {

using Args = std::vector<std::string>;

MATCHER_P(IsFromArgv, value, "") {
  return arg.known() && *arg.value == value && arg.origin == FactOrigin::kArgv;
}
MATCHER_P(IsDefault, value, "") {
  return arg.known() && *arg.value == value && arg.origin == FactOrigin::kDefault;
}
MATCHER_P2(IsKnown, value, origin, "") {
  return arg.known() && *arg.value == value && arg.origin == origin;
}
MATCHER(IsUnknown, "") { return !arg.known() && arg.origin == FactOrigin::kUnknown; }

// The part of that id, or one that fails the test.
template <typename Part>
const Part& PartNamed(const std::vector<Part>& parts, const std::string& id) {
  static const Part kNone;
  std::string ids;
  for (const Part& part : parts) {
    if (part.id == id) return part;
    ids += " " + part.id;
  }
  ADD_FAILURE() << "no " << id << " among" << ids;
  return kNone;
}

// All of it as text, for tests of what must not be in it.
inline std::string AllText(const Given& given) {
  std::string text;
  for (const GivenPart& part : PartsOf(given)) {
    text += part.kind + " " + part.id + "\n";
    for (const NamedFact& fact : part.facts) {
      if (const auto* word = std::get_if<std::string>(&fact.value)) text += *word + "\n";
      if (const auto* list = std::get_if<std::vector<std::string>>(&fact.value)) {
        for (const std::string& each : *list) text += each + "\n";
      }
    }
  }
  for (const std::string& gap : given.gaps) text += gap + "\n";
  return text;
}

}  // namespace kvmsentry
