// Whether a spec applies to a VM, and by what.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/spec/spec.h"

namespace kvmsentry {

struct Selection {
  enum class Verdict : uint8_t { kNone, kSelected, kExcepted, kNotSelected };
  Verdict verdict = Verdict::kNone;
  size_t except = 0;   // kExcepted: which of the exceptions
  std::string reason;  // "its name "web-1" matches vm "web-*""
};

// Of the VM as a whole: where patterns are for its parts, the reason says so.
Selection SelectionOf(const Selector& select, const std::vector<Selector>& except,
                      const VmFacts& facts);

}  // namespace kvmsentry
