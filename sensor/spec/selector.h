// Selectors in words.
#pragma once

#include <string>
#include <vector>

#include "sensor/spec/spec.h"

namespace kvmsentry {

// "all VMs", "VMs named web-*, in cgroup /prod/*", "parts vcpu-* of all VMs, except VMs named db".
// Bounded: of many patterns it shows the first ones and how many more there are.
std::string SelectorText(const Selector& selector, const std::vector<Selector>& except = {});

}  // namespace kvmsentry
