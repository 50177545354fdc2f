// Selectors in words.
#pragma once

#include <string>

#include "sensor/spec/spec.h"

namespace kvmsentry {

// "all VMs", "VMs named web-*, in cgroup /prod/*". Bounded: of many patterns it shows the first
// ones and how many more there are.
std::string SelectorText(const Selector& selector);

}  // namespace kvmsentry
