// How many alerts are open, in words that every command says alike.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "kvmsentry/v1/method.pb.h"

namespace kvmsentry {

struct OpenCount {
  std::map<v1::Severity, uint64_t, std::greater<>> heard;  // those that no silence matches
  uint64_t own = 0;                                        // of these: of the sensor itself
  uint64_t observed = 0;  // beside these: of specs that only observe, and count for nothing
  uint64_t silenced = 0;  // beside these
};

// "3 open: 1 CRITICAL, 2 WARNING (1 of the sensor itself); 2 observed only; 1 silenced"
std::string ToText(const OpenCount& open);

}  // namespace kvmsentry
