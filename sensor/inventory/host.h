// Which host and which boot of it alerts come from.
#pragma once

#include <string>

namespace kvmsentry {

// Texts are escaped. A fact that the host does not give, or gives malformed, is empty.
struct HostFacts {
  std::string node;            // the host's name, as uname(2) gives it
  std::string machine_id;      // 32 hex digits, machine-id(5); bare machines have none
  std::string boot_id;         // a UUID, new with every boot
  std::string kernel_release;  // as uname(2) gives it
};

// ROOT is put before /proc and /etc; empty for this host's own.
HostFacts ReadHostFacts(const std::string& root = "");

}  // namespace kvmsentry
