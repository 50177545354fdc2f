// The state that one VM, or a part of it, is in, against a norm on states.
#pragma once

#include <cstdint>

namespace kvmsentry {

struct StateWatch {
  bool known = false;
  uint64_t state = 0;
  uint64_t deviant = 0;  // the latest that was outside the norm
};

}  // namespace kvmsentry
