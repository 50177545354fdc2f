// Children of a VMM that run its own program on and on, as a fork without more makes them. Pure.
// Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/time.h"
#include "sensor/source/vmm/survivors.h"

namespace kvmsentry {

class Copies {
 public:
  // A fork that is about to start a program, or that writes down the state of its parent, is over
  // by then.
  static constexpr int64_t kStaysNs = 5 * kNsPerSecond;

  // PROGRAM, a path, is what the VMM runs, and CHILDREN are those that live NOW. Those of them that
  // run the same for so long.
  std::vector<Survivor> Take(KernelTime now, absl::string_view program,
                             const std::vector<Survivor>& children);

 private:
  std::map<int32_t, KernelTime> since_;  // by pid
};

}  // namespace kvmsentry
