// Whether the sensor sees enough of KVM on this kernel to be of use. Pure.
#pragma once

#include <span>
#include <string>

#include "sensor/probe/hooks.h"

namespace kvmsentry {

// The oldest kernel on which the tests run, for messages: nothing is decided by it.
inline constexpr char kOldestTested[] = "Linux 6.1";

struct Sight {
  enum class Extent : uint8_t {
    kEnough,
    kLittle,  // births of VMs, or more than half of what there is to see, are not seen
    kNothing,
  };
  Extent extent = Extent::kEnough;
  std::string detail;  // what is missing and why; empty where it is enough
};

// HOOKS are those that were to be attached; hooks on KVM are the ones that count. Whatever somebody
// left off is not among them.
Sight SightOf(std::span<const HookCoverage> hooks);

}  // namespace kvmsentry
