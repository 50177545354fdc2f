// Selectors in words.
#pragma once

#include <string>
#include <vector>

#include "sensor/spec/spec.h"
#include "sensor/spec/text_length.h"

namespace kvmsentry {

// "all VMs", "VMs named web-*, in cgroup /prod/*", "parts vcpu-* of all VMs, except VMs named db".
std::string SelectorText(const Selector& selector, const std::vector<Selector>& except = {},
                         TextLength length = TextLength::kBounded);

}  // namespace kvmsentry
