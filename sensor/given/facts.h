// What a VM was given as one list of parts and facts: what RPC sends, what is shown to people, and
// what is compared to say what has changed. A new fact needs a line here and nothing elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

struct NamedFact {
  std::string name;  // "read-only"
  // monostate: unknown.
  std::variant<std::monostate, std::string, uint64_t, bool, std::vector<std::string>> value;
  FactOrigin origin = FactOrigin::kUnknown;
  bool bytes = false;  // a number of bytes
  friend bool operator==(const NamedFact&, const NamedFact&) = default;
};

struct GivenPart {
  std::string kind;  // "disk", "interface", "memory"
  std::string id;    // of those of which a VM can have several
  std::vector<NamedFact> facts;
  friend bool operator==(const GivenPart&, const GivenPart&) = default;
};

// In an order that is always the same. Every fact is there, unknown ones included.
std::vector<GivenPart> PartsOf(const Given& given);

// What differs between two, in words, as "disk vdb was added", "memory: size changed". At most
// MAX_TEXTS, the last of which counts the others.
std::vector<std::string> ChangesBetween(const Given& before, const Given& after, size_t max_texts);

}  // namespace kvmsentry
